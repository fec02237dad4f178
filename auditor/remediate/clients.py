"""boto3 clients for changing an account, with every setting that matters said out loud."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore.config import Config

if TYPE_CHECKING:
    import boto3
    from mypy_boto3_iam import IAMClient

# ``total_max_attempts`` counts tries, ``max_attempts`` would count retries. Attaching, putting,
# detaching and deleting a policy may all be repeated: the second time changes nothing.
# https://boto3.amazonaws.com/v1/documentation/api/latest/guide/retries.html
CONFIG = Config(
    retries={"mode": "standard", "total_max_attempts": 8},
    connect_timeout=5,
    read_timeout=30,
    user_agent_extra="auditor",
)


def iam(session: boto3.Session, region: str) -> IAMClient:
    """Return a client for IAM (one for all regions) of the region's partition."""
    return session.client("iam", region_name=region, config=CONFIG)


def dynamodb(session: boto3.Session, region: str | None = None) -> Any:
    """Return a client for DynamoDB, in the session's region where none is given."""
    # A name that is no literal: DynamoDB's stubs aren't among what this is checked with.
    service: Any = "dynamodb"
    return session.client(service, region_name=region, config=CONFIG)
