"""boto3 sessions and clients, with every setting that matters said out loud."""

from __future__ import annotations

import threading
from collections import Counter
from typing import TYPE_CHECKING, Any, TypeVar

import boto3
from botocore.client import BaseClient
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from auditor.errors import CollectError
from auditor.text import one_line, without_secrets

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from mypy_boto3_account import AccountClient
    from mypy_boto3_codebuild import CodeBuildClient
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_sts import STSClient

    from auditor.collect.organization import OrganizationsClient
    from auditor.collect.ses import SesClient

_T = TypeVar("_T")
_Client = TypeVar("_Client", bound=BaseClient)

# ``total_max_attempts`` counts tries, ``max_attempts`` would count retries. Standard mode waits
# for a random time that doubles up to 20 s: eight tries outlast a burst of throttling.
# https://boto3.amazonaws.com/v1/documentation/api/latest/guide/retries.html
CONFIG = Config(
    retries={"mode": "standard", "total_max_attempts": 8},
    connect_timeout=5,
    read_timeout=30,
    user_agent_extra="auditor",
)
# For a question that has another answer when nobody replies.
IMPATIENT = CONFIG.merge(Config(retries={"mode": "standard", "total_max_attempts": 2}))

# Whatever a call to AWS can fail with. ResponseParserError stands outside botocore's own root
# (something other than AWS answered, such as a proxy's page).
AWS_ERRORS = (ClientError, BotoCoreError, ResponseParserError)


def error_code(error: Exception) -> str:
    """Return the error's code as AWS gave it, or the name of botocore's own error."""
    if isinstance(error, ClientError):
        return str(error.response.get("Error", {}).get("Code") or "ClientError")
    return type(error).__name__


def describe(error: Exception) -> str:
    """Return ``Code: message`` on one bounded line, without secrets.

    The text comes from whoever answered the call: it is not trusted.
    """
    text = str(error)
    if isinstance(error, ClientError):
        text = str(error.response.get("Error", {}).get("Message") or text)
    return one_line(without_secrets(f"{error_code(error)}: {text}"))


def understood(ask: Callable[[], _T]) -> _T:
    """Return what ``ask`` (one call of a client) returns.

    :raises ResponseParserError: also where botocore's readers stumble over an answer that reads
        well and isn't AWS's, such as a proxy's page: they raise KeyError or AttributeError then.
    """
    try:
        return ask()
    except (AttributeError, KeyError, TypeError) as error:
        raise ResponseParserError("the answer isn't one that AWS gives") from error


def pages_of(pages: Iterable[_T]) -> Iterator[_T]:
    """Yield a paginator's pages, each of them ``understood``."""
    rest = iter(pages)
    while (page := understood(lambda: next(rest, None))) is not None:
        yield page


def open_session(profile: str | None = None, region: str | None = None) -> boto3.Session:
    """Return the session of a profile, or of the environment's credentials.

    :raises CollectError: if there is no such profile, or the AWS files can't be read.
    """
    try:
        return boto3.Session(profile_name=profile, region_name=region)
    except BotoCoreError as error:
        raise CollectError(
            f"can't open an AWS session ({describe(error)}); `aws configure list-profiles` shows"
            " the profiles there are"
        ) from error


class Clients:
    """The clients of one session; counts the calls that they make.

    ``calls`` maps ``service:Operation`` to how often it was asked, pages counted one by one and
    retries not counted. Make all clients in one thread and use them in any:
    https://boto3.amazonaws.com/v1/documentation/api/latest/guide/clients.html#multithreading-or-multiprocessing-with-clients
    """

    def __init__(self, session: boto3.Session) -> None:
        self._session = session
        self._lock = threading.Lock()
        self.calls: Counter[str] = Counter()

    def sts(self, region: str) -> STSClient:
        """Return a client for the Security Token Service in a region."""
        return self._counted(self._session.client("sts", region_name=region, config=CONFIG))

    def iam(self, region: str) -> IAMClient:
        """Return a client for IAM (one for all regions) of the region's partition."""
        return self._counted(self._session.client("iam", region_name=region, config=CONFIG))

    def account(self, region: str) -> AccountClient:
        """Return a client for Account Management that gives up soon."""
        return self._counted(self._session.client("account", region_name=region, config=IMPATIENT))

    def codebuild(self, region: str) -> CodeBuildClient:
        """Return a client for CodeBuild in a region."""
        return self._counted(self._session.client("codebuild", region_name=region, config=CONFIG))

    def ses(self, region: str) -> SesClient:
        """Return a client for SES (version 2 of its API) in a region."""
        client: SesClient = self._counted(
            self._session.client("sesv2", region_name=region, config=CONFIG)
        )
        return client

    def organizations(self, region: str) -> OrganizationsClient:
        """Return a client for Organizations (one for all regions) of the region's partition."""
        client: OrganizationsClient = self._counted(
            self._session.client("organizations", region_name=region, config=CONFIG)
        )
        return client

    def _counted(self, client: _Client) -> _Client:
        # before-call is sent once a call, before the tries:
        # https://boto3.amazonaws.com/v1/documentation/api/latest/guide/events.html
        client.meta.events.register("before-call", self._count)
        return client

    def _count(self, model: Any, **_: object) -> None:
        with self._lock:
            self.calls[f"{model.service_model.service_name}:{model.name}"] += 1
