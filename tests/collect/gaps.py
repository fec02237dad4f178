"""What moto lacks of the calls that collecting makes."""

from __future__ import annotations

import json

from moto.sesv2 import urls
from moto.sesv2.responses import SESV2Response


def fill(*, production: bool = True) -> None:
    """Let moto's SES answer GetAccount, in this process's mocks and servers.

    Without it moto raises NotImplementedError, or answers 404 as a server; call it before either
    begins.
    https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_GetAccount.html
    """

    def get_account(_: SESV2Response) -> str:
        return json.dumps(
            {
                "DedicatedIpAutoWarmupEnabled": False,
                "EnforcementStatus": "HEALTHY",
                "ProductionAccessEnabled": production,
                "SendingEnabled": True,
            }
        )

    urls.url_paths["{0}/v2/email/account$"] = SESV2Response.dispatch
    SESV2Response.get_account = get_account  # type: ignore[attr-defined]
