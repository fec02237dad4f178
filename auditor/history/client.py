"""DynamoDB as the history needs it: consistent reads, conditional writes, errors on one line."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final, Protocol

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from auditor.history.values import HistoryError
from auditor.text import words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

# Whatever a call can fail with; the last stands outside botocore's own root.
AWS_ERRORS: Final = (ClientError, BotoCoreError, ResponseParserError)
TAKEN: Final = "ConditionalCheckFailedException"

BATCH: Final = 100
"""Writes in a transaction, the most there may be:
https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html"""
_TRIES: Final = 8  # of a transaction that met another one, or was throttled
_WAIT: Final = 0.1  # seconds before the first further try; doubled each time
# Reasons that pass by themselves: same page, under TransactionCanceledException.
_PASSING: Final = frozenset(
    {"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"}
)
_LIMIT: Final = 300  # characters of AWS's words


class TableClient(Protocol):
    """The calls of boto3's low-level DynamoDB client that are made here."""

    def query(self, **_: Any) -> Mapping[str, Any]:
        """Return a page of the items of one ``pk``."""

    def get_item(self, **_: Any) -> Mapping[str, Any]:
        """Return an item."""

    def put_item(self, **_: Any) -> Mapping[str, Any]:
        """Write an item."""

    def delete_item(self, **_: Any) -> Mapping[str, Any]:
        """Remove an item."""

    def transact_write_items(self, **_: Any) -> Mapping[str, Any]:
        """Write several items, all or none."""


class Table:
    """One table, with the keys ``pk`` and ``sk`` (strings). Every read is consistent."""

    def __init__(
        self, client: TableClient, name: str, *, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._client = client
        self._name = name
        self._sleep = sleep

    def items(self, pk: str, filter_: str | None = None) -> Iterator[Mapping[str, Any]]:
        """Yield the items of one ``pk`` by ``sk``, those that a filter lets through."""
        more: dict[str, object] = {} if filter_ is None else {"FilterExpression": filter_}
        while True:
            page = self._call(
                "query",
                KeyConditionExpression="pk = :pk",
                ExpressionAttributeValues={":pk": {"S": pk}},
                ConsistentRead=True,
                **more,
            )
            yield from page.get("Items", ())
            if not page.get("LastEvaluatedKey"):
                return
            more["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def get(self, pk: str, sk: str) -> Mapping[str, Any] | None:
        """Return one item, None where there is none."""
        found: Mapping[str, Any] | None = self._call(
            "get_item", Key=key(pk, sk), ConsistentRead=True
        ).get("Item")
        return found

    def put(self, item: Mapping[str, object], condition: str, **names: object) -> bool:
        """Put an item where the condition holds, and return whether it did."""
        return self._if(condition, "put_item", names, Item=item)

    def delete(self, pk: str, sk: str, condition: str, **names: object) -> bool:
        """Remove an item where the condition holds, and return whether it did."""
        return self._if(condition, "delete_item", names, Key=key(pk, sk))

    def write(self, actions: Sequence[Mapping[str, Any]]) -> list[bool]:
        """Make writes that have a condition each; return which of them met theirs.

        Up to ``BATCH`` that all meet theirs are made at once, all or none.
        """
        done: list[bool] = []
        for start in range(0, len(actions), BATCH):
            done += self._written(actions[start : start + BATCH])
        return done

    def _written(self, actions: Sequence[Mapping[str, Any]]) -> list[bool]:
        named = [
            {kind: {**what, "TableName": self._name} for kind, what in action.items()}
            for action in actions
        ]
        left, wait = list(range(len(named))), _WAIT
        for _ in range(_TRIES):
            if not left:
                break
            try:
                self._client.transact_write_items(TransactItems=[named[n] for n in left])
            except AWS_ERRORS as error:
                reasons = _reasons(error)
                if len(reasons) != len(left):
                    raise self._error("TransactWriteItems", error) from error
                refused = {
                    n
                    for n, why in zip(left, reasons, strict=True)
                    if why == TAKEN.removesuffix("Exception")
                }
                if not refused:
                    if not _PASSING.intersection(reasons):
                        raise self._error("TransactWriteItems", error) from error
                    self._sleep(wait)
                    wait *= 2
                left = [n for n in left if n not in refused]
            else:
                return [n in left for n in range(len(named))]
        if left:
            raise HistoryError(
                f"DynamoDB table {self._name}: writing met other writes {_TRIES} times; run it"
                " again when they have ended"
            )
        return [False] * len(named)

    def _if(
        self, condition: str, operation: str, names: Mapping[str, object], **arguments: object
    ) -> bool:
        try:
            getattr(self._client, operation)(
                TableName=self._name, ConditionExpression=condition, **arguments, **names
            )
        except AWS_ERRORS as error:
            if _code(error) == TAKEN:
                return False
            raise self._error(operation, error) from error
        return True

    def _call(self, operation: str, **arguments: object) -> Mapping[str, Any]:
        try:
            answer: Mapping[str, Any] = getattr(self._client, operation)(
                TableName=self._name, **arguments
            )
        except AWS_ERRORS as error:
            raise self._error(operation, error) from error
        return answer

    def _error(self, operation: str, error: Exception) -> HistoryError:
        said: object = error
        if isinstance(error, ClientError):
            said = f"{_code(error)}: {error.response.get('Error', {}).get('Message') or ''}"
        return HistoryError(
            f"DynamoDB table {self._name}: {operation} failed ({words(said, _LIMIT)})"
        )


def key(pk: str, sk: str) -> dict[str, object]:
    """Return an item's key."""
    return {"pk": {"S": pk}, "sk": {"S": sk}}


def _code(error: Exception) -> str:
    told = error.response.get("Error", {}) if isinstance(error, ClientError) else {}
    return str(told.get("Code") or type(error).__name__)


def _reasons(error: Exception) -> list[str]:
    """Return why each write of a transaction was not made: ``None`` where it wasn't its fault."""
    if not isinstance(error, ClientError) or _code(error) != "TransactionCanceledException":
        return []
    told: Any = error.response.get("CancellationReasons") or ()
    return [str(one.get("Code")) for one in told]
