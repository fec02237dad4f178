"""The journal as a DynamoDB table, for whoever works without a disk of their own.

One table, with the keys ``pk`` and ``sk`` (strings). An entry is (plan's id, role's ARN # its
number), the list of plans is under ``plans``, and the lock is one item. Other items may live
beside them. ``expires_at`` (seconds since 1970) is the table's TTL attribute, and only the lock has
one: entries never expire.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/TTL.html
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, Protocol
from uuid import uuid4

from pydantic import ValidationError

from auditor.remediate.interface import BusyError, JournalError
from auditor.remediate.model import Entry
from auditor.remediate.trouble import AWS_ERRORS, one_line, trouble_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime

LEASE: Final = 300
"""Seconds that a lock holds without being renewed; so long does a run that was killed keep the
others out. A run renews it before each role and before each change. Where AWS hangs, one call may
take as long (eight tries of 35 seconds, and the pauses between them): a run whose lock ran out
meanwhile finds that out before its next change, and ends. Should its last change and another run's
overlap, nothing is lost: intents are recorded first, and each call may be made twice."""

_RENEW: Final = 30  # seconds after which it is renewed
_COLLISIONS: Final = 100  # entries of one role and number that others wrote first; two is unusual
_PLANS: Final = "plans"
_LOCK: Final = {"pk": {"S": "lock"}, "sk": {"S": "lock"}}
_TAKEN: Final = "ConditionalCheckFailedException"


class TableClient(Protocol):
    """The calls of boto3's low-level DynamoDB client that are made here."""

    def put_item(self, **_: Any) -> Mapping[str, Any]:
        """Write an item."""

    def get_item(self, **_: Any) -> Mapping[str, Any]:
        """Return an item."""

    def delete_item(self, **_: Any) -> Mapping[str, Any]:
        """Remove an item."""

    def query(self, **_: Any) -> Mapping[str, Any]:
        """Return a page of the items of one ``pk``."""


class TableJournal:
    """A journal in one table. Safe to share between machines; every read is consistent.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.ReadConsistency.html
    """

    def __init__(self, client: TableClient, table: str, *, clock: Callable[[], datetime]) -> None:
        self._client = client
        self._table = table
        self._clock = clock
        self._listed: set[str] = set()
        self._troubles: dict[str, None] = {}
        self._lost: dict[str, None] = {}

    def record(self, entry: Entry) -> None:
        """Put an entry under the first number from its own on that no other entry has."""
        if entry.plan_id not in self._listed:
            # Before the entry: a plan that is listed without one does no harm.
            self._call("put_item", Item={"pk": {"S": _PLANS}, "sk": {"S": entry.plan_id}})
            self._listed.add(entry.plan_id)
        for _ in range(_COLLISIONS):
            key = _key(entry)
            text = entry.model_dump_json()
            if self._put_new({**key, "entry": {"S": text}, "step": {"S": entry.step}}):
                return
            answer = self._call("get_item", Key=key, ConsistentRead=True)
            if answer.get("Item", {}).get("entry", {}).get("S") == text:
                return  # written before: a repeated try, or the same entry once more
            entry = entry.model_copy(update={"sequence": entry.sequence + 1})
        raise JournalError(
            f"DynamoDB table {self._table}: {_COLLISIONS} entries of {one_line(entry.role_arn)} in"
            " a row were written by others meanwhile; run it again when they have ended"
        )

    def entries(self, plan_id: str, role_arn: str | None = None) -> list[Entry]:
        """Return a plan's entries (or those of one role), each role's in order."""
        values = {":plan": {"S": plan_id}}
        condition = "pk = :plan"
        if role_arn is not None:
            condition += " AND begins_with(sk, :role)"
            values[":role"] = {"S": f"{role_arn}#"}
        found = [
            entry
            for item in self._items(condition, values)
            if "entry" in item and (entry := self._entry(item)) is not None
        ]
        return [entry for entry in found if role_arn in (None, entry.role_arn)]

    def plans(self) -> list[str]:
        """Return the ids of the plans in the order of their ids, which begin with their time."""
        return [item["sk"]["S"] for item in self._items("pk = :plan", {":plan": {"S": _PLANS}})]

    def troubles(self) -> list[str]:
        """Return one line for each item met so far that can't be read, or a lock that stays."""
        return [*self._lost, *self._troubles]

    def lost(self) -> list[str]:
        """Return one line for each item met so far that should be an entry and can't be read."""
        return list(self._lost)

    @contextmanager
    def lock(self, owner: str) -> Iterator[Callable[[], None]]:
        """Hold the journal for ``LEASE`` seconds at a time, so that a crash can't leave it closed.

        https://aws.amazon.com/blogs/database/building-distributed-locks-with-the-dynamodb-lock-client/
        """
        me = f"{one_line(owner)} {uuid4()}"  # two runs of one caller are two owners
        renewed = self._hold(me)
        if renewed is None:
            raise BusyError(
                f"DynamoDB table {self._table}: another run is at work ({self._holder()}); wait"
                f" until it has ended, or, if it was killed, {LEASE} seconds"
            )

        def keep() -> None:
            nonlocal renewed
            now = self._now()
            if renewed is not None and now - renewed < _RENEW:
                return
            renewed = self._hold(me)
            if renewed is None:
                raise JournalError(
                    f"DynamoDB table {self._table}: the lock ran out, and another run"
                    f" ({self._holder()}) has it now; run it again when that one has ended"
                )

        try:
            yield keep
        finally:
            self._release(me)

    def _hold(self, me: str) -> int | None:
        """Take or renew the lock; return the time, or None where another run has it."""
        now = self._now()
        taken = self._put_new(
            {**_LOCK, "owner": {"S": me}, "expires_at": {"N": str(now + LEASE)}},
            # An item past its time may linger for days, so its time is looked at (see TTL).
            "attribute_not_exists(pk) OR expires_at < :now OR #owner = :me",
            ExpressionAttributeNames={"#owner": "owner"},
            ExpressionAttributeValues={":now": {"N": str(now)}, ":me": {"S": me}},
        )
        return now if taken else None

    def _release(self, me: str) -> None:
        try:
            self._client.delete_item(
                TableName=self._table,
                Key=_LOCK,
                ConditionExpression="#owner = :me",
                ExpressionAttributeNames={"#owner": "owner"},
                ExpressionAttributeValues={":me": {"S": me}},
            )
        except AWS_ERRORS as error:
            trouble = trouble_of(error)
            if trouble.code != _TAKEN:  # then it isn't ours any more, and there is nothing to do
                self._troubles[
                    f"DynamoDB table {self._table}: the lock could not be released, and ends by"
                    f" itself within {LEASE} seconds ({trouble.message})"
                ] = None

    def _holder(self) -> str:
        item = self._call("get_item", Key=_LOCK, ConsistentRead=True).get("Item", {})
        return one_line(str(item.get("owner", {}).get("S", "unknown")))

    def _now(self) -> int:
        return int(self._clock().timestamp())

    def _put_new(
        self,
        item: Mapping[str, object],
        condition: str = "attribute_not_exists(pk)",
        **more: object,
    ) -> bool:
        """Put an item where the condition holds, and return whether it did."""
        try:
            self._client.put_item(
                TableName=self._table, Item=item, ConditionExpression=condition, **more
            )
        except AWS_ERRORS as error:
            trouble = trouble_of(error)
            if trouble.code == _TAKEN:
                return False
            raise self._error("put_item", trouble.message) from error
        return True

    def _items(self, condition: str, values: Mapping[str, object]) -> Iterator[Mapping[str, Any]]:
        more: dict[str, object] = {}
        while True:
            page = self._call(
                "query",
                KeyConditionExpression=condition,
                ExpressionAttributeValues=values,
                ConsistentRead=True,
                **more,
            )
            yield from page.get("Items", ())
            if not page.get("LastEvaluatedKey"):
                return
            more = {"ExclusiveStartKey": page["LastEvaluatedKey"]}

    def _entry(self, item: Mapping[str, Any]) -> Entry | None:
        try:
            return Entry.model_validate_json(item["entry"]["S"])
        except (ValidationError, KeyError, TypeError):
            where = one_line(f"{item['pk']['S']} {item['sk']['S']}")
            self._lost[
                f"DynamoDB table {self._table}: item {where} can't be read and is left out"
            ] = None
            return None

    def _call(self, operation: str, **arguments: object) -> Mapping[str, Any]:
        try:
            answer: Mapping[str, Any] = getattr(self._client, operation)(
                TableName=self._table, **arguments
            )
        except AWS_ERRORS as error:
            raise self._error(operation, trouble_of(error).message) from error
        return answer

    def _error(self, operation: str, message: str) -> JournalError:
        return JournalError(
            f"DynamoDB table {self._table}: {operation} failed ({message}); without the journal"
            " nothing is changed"
        )


def _key(entry: Entry) -> dict[str, object]:
    """Return an entry's key: numbers are padded, so that DynamoDB sorts them as numbers."""
    return {
        "pk": {"S": entry.plan_id},
        "sk": {"S": f"{entry.role_arn}#{entry.sequence:08d}"},
    }
