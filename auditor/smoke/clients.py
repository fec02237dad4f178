"""boto3 clients for the test, with every setting that matters said out loud; who is calling."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from botocore.config import Config

from auditor.errors import CollectError
from auditor.smoke.queue import queue_region
from auditor.smoke.result import Caller
from auditor.smoke.trouble import AWS_ERRORS, trouble_of, understood

if TYPE_CHECKING:
    import boto3

    from auditor.smoke.plan import Plan

# ``total_max_attempts`` counts tries, ``max_attempts`` would count retries. A mail may go out twice
# where an answer was lost: it is the simulator that gets it twice. A queue answers after up to 20
# seconds, so the read timeout must be longer.
# https://boto3.amazonaws.com/v1/documentation/api/latest/guide/retries.html
CONFIG: Final = Config(
    retries={"mode": "standard", "total_max_attempts": 8},
    connect_timeout=5,
    read_timeout=30,
    user_agent_extra="auditor",
)
# For a question that the run can do without.
IMPATIENT: Final = CONFIG.merge(Config(retries={"mode": "standard", "total_max_attempts": 2}))

_SESSION: Final = re.compile(r"arn:([a-z-]+):sts::(\d{12}):assumed-role/([^/]+)/.+", re.ASCII)


class Clients(NamedTuple):
    """The clients of a run. ``sqs`` is None where no queue is listened to.

    Typed ``Any``: the stubs of SES aren't among what this is checked with.
    """

    ses: Any
    sesv2: Any
    sts: Any
    sqs: Any


def make_clients(session: boto3.Session, region: str, plan: Plan) -> Clients:
    """Return the clients for a region; the queue's is for the region in its URL."""
    queue = plan.queue and queue_region(plan.queue, region, plan.endpoints)
    make: Any = session.client
    return Clients(
        make("ses", region_name=region, config=CONFIG),
        make("sesv2", region_name=region, config=CONFIG),
        make("sts", region_name=region, config=IMPATIENT),
        queue and make("sqs", region_name=queue, config=CONFIG),
    )


def caller_of(sts: Any) -> Caller | str:
    """Return whose credentials these are, or why STS doesn't tell.

    :raises CollectError: if there are no credentials, or AWS doesn't take them.
    https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
    """
    try:
        answer = understood(sts.get_caller_identity)
    except AWS_ERRORS as error:
        trouble = trouble_of(error)
        if trouble.kind == "credentials":
            raise CollectError(
                f"no credentials that AWS takes ({trouble.message}); in CodeBuild they are the"
                " project's service role's, elsewhere give --profile or AWS's environment variables"
            ) from error
        return trouble.message
    arn, account = str(answer.get("Arn", "")), str(answer.get("Account", ""))
    if not re.fullmatch(r"\d{12}", account, re.ASCII) or not arn.startswith("arn:"):
        return "STS's answer names no account"
    found = _SESSION.fullmatch(arn)
    return Caller(account, arn.split(":")[1], found[3] if found else None, arn)
