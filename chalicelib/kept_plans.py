"""The plans that ``remediate`` carries out, kept beside their journal until they are done with.

A run that was killed is finished by running the same plan again. What a laptop has in a file, the
function has in an item of the journal's table: the plan (``pk`` its id, ``sk`` ``#plan``), and
which plan a request made (``pk`` ``request``).
"""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING, Any, Final

from auditor.errors import InputError
from auditor.remediate.interface import JournalError
from auditor.remediate.reading import plan_json, read_plan
from auditor.remediate.trouble import AWS_ERRORS, one_line, trouble_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from mypy_boto3_dynamodb import DynamoDBClient

    from auditor.remediate.model import Plan

MOST_BYTES: Final = 350_000
"""Of a plan, compressed; some thousands of roles. An item has at most 400 KB:
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html"""
REQUESTS: Final = "request"
"""The partition of what belongs to one request; ``once`` keeps its replies there, too."""
KEPT_SECONDS: Final = 24 * 3600
"""How long it is known which plan a request made, as long as its reply is."""

_PLAN: Final = "#plan"  # no role's ARN begins so: it stands apart from the entries


class KeptPlans:
    """The plans in one table. Raises JournalError where it can't be read or written."""

    def __init__(
        self, client: DynamoDBClient, table: str, *, clock: Callable[[], datetime]
    ) -> None:
        self._client = client
        self._table = table
        self._clock = clock

    def keep(self, plan: Plan, request_id: str) -> None:
        """Keep a plan before it is carried out, and that this request made it.

        Raises InputError for one that doesn't fit into an item.
        """
        data = gzip.compress(plan_json(plan).encode("ascii"), mtime=0)
        if len(data) > MOST_BYTES:
            raise InputError(
                f"remediate: a plan for {len(plan.changes):,} roles is too long to be kept;"
                " name fewer roles"
            )
        self._call("put_item", Item={**_key(plan.id, _PLAN), "plan": {"B": data}})
        ends = int(self._clock().timestamp()) + KEPT_SECONDS
        self._call(
            "put_item",
            Item={
                **_key(REQUESTS, f"plan#{request_id}"),
                "plan": {"S": plan.id},
                "expires_at": {"N": str(ends)},
            },
        )

    def of_request(self, request_id: str) -> str | None:
        """Return the id of the plan that an earlier run of a request made."""
        found: str | None = self._item(REQUESTS, f"plan#{request_id}").get("plan", {}).get("S")
        return found

    def plan(self, plan_id: str) -> Plan | None:
        """Return a plan, None where it isn't kept. Raises InputError where it can't be used."""
        data = self._item(plan_id, _PLAN).get("plan", {}).get("B")
        if data is None:
            return None
        return read_plan(gzip.decompress(data).decode("utf-8"), f"remediate: {plan_id}")

    def _item(self, pk: str, sk: str) -> Mapping[str, Any]:
        answer = self._call("get_item", Key=_key(pk, sk), ConsistentRead=True)
        found: Mapping[str, Any] = answer.get("Item", {})
        return found

    def _call(self, operation: str, **arguments: object) -> Mapping[str, Any]:
        try:
            answer: Mapping[str, Any] = getattr(self._client, operation)(
                TableName=self._table, **arguments
            )
        except AWS_ERRORS as error:
            raise JournalError(
                f"DynamoDB table {one_line(self._table)}: {operation} failed"
                f" ({trouble_of(error).message}); without the journal nothing is changed"
            ) from error
        return answer


def _key(pk: str, sk: str) -> dict[str, Any]:
    return {"pk": {"S": pk}, "sk": {"S": sk}}
