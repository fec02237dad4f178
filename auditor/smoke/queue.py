"""The queue's URL: is it one of SQS, and in which region?

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-queue-message-identifiers.html
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import SplitResult, urlsplit

from auditor.domains import is_region
from auditor.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable

_SHOWN: Final = 100  # characters of a bad URL in a message
_QUEUE: Final = re.compile(r"/\d{12}/[A-Za-z0-9_-]{1,80}", re.ASCII)
_FIFO: Final = re.compile(r"/\d{12}/[A-Za-z0-9_-]{1,75}\.fifo", re.ASCII)
# The domains of AWS's partitions, as botocore's endpoints.json has them, and of dual-stack names.
_AWS: Final = (
    r"(?:amazonaws\.com(?:\.cn)?|amazonaws\.eu|api\.aws|api\.amazonwebservices\.(?:com\.cn|eu)"
    r"|c2s\.ic\.gov|sc2s\.sgov\.gov|cloud\.adc-e\.uk|csp\.hci\.ic\.gov)"
)
# A region's own name, its FIPS name, the name of a VPC endpoint, and two names of old.
# https://docs.aws.amazon.com/general/latest/gr/sqs-service.html
# https://docs.aws.amazon.com/vpc/latest/privatelink/privatelink-access-aws-services.html
_HOST: Final = re.compile(
    rf"(?:vpce-[a-z0-9-]+\.sqs\.(?P<inside>[a-z0-9-]+)\.vpce|sqs(?:-fips)?\.(?P<named>[a-z0-9-]+)"
    rf"|(?P<old>[a-z0-9-]+)\.queue|queue)\.{_AWS}"
)
_OLDEST: Final = "us-east-1"  # the region of queue.amazonaws.com


def queue_region(url: str, otherwise: str, endpoints: Iterable[str] = ()) -> str:
    """Return the region of a queue's URL, ``otherwise`` where the URL names none.

    ``endpoints``: URLs that stand in for AWS's (``AWS_ENDPOINT_URL``), whose hosts are taken too.
    Raises ``InputError`` where it isn't the URL of a standard queue of SQS.
    """
    parts = _split(url)
    own = _place(parts) in {_place(_split(one)) for one in endpoints if one}
    found = _HOST.fullmatch(parts.hostname or "")
    if (
        not parts.hostname
        or not url.isprintable()
        or parts.scheme not in ("https", "http")
        or parts.username is not None
        or not (_QUEUE.fullmatch(parts.path) or _FIFO.fullmatch(parts.path))
        or parts.query
        or parts.fragment
    ):
        raise _bad(
            url,
            "isn't a queue's URL, such as https://sqs.eu-west-1.amazonaws.com/123456789012/mail",
        )
    if not own and (found is None or _port(parts) is not None):
        raise _bad(
            url,
            "isn't at a host of SQS, such as sqs.eu-west-1.amazonaws.com, without a port (another"
            " host must be that of AWS_ENDPOINT_URL or AWS_ENDPOINT_URL_SQS)",
        )
    if _FIFO.fullmatch(parts.path):
        # While other runs' messages are looked at, SQS holds back the rest of their group; and
        # SES's events don't go through FIFO topics.
        # https://docs.aws.amazon.com/ses/latest/dg/event-publishing-add-event-destination-sns.html
        raise _bad(url, "is a FIFO queue; SES's events need a standard one")
    region = (found["inside"] or found["named"] or found["old"] or _OLDEST) if found else ""
    return region if is_region(region) else otherwise


def _split(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError:  # such as a bracket that nothing closes
        return urlsplit("")


def _port(parts: SplitResult) -> int | None:
    try:
        return parts.port
    except ValueError:  # no number, or a large one
        return -1


def _place(parts: SplitResult) -> tuple[str | None, int | None]:
    usual = {"http": 80, "https": 443}.get(parts.scheme)
    port = _port(parts)
    return parts.hostname, usual if port is None else port


def _bad(url: str, why: str) -> InputError:
    shown = url if len(url) <= _SHOWN else f"{url[:_SHOWN]}…"
    return InputError(f"--events {shown!r}: {why}")
