"""The table where AWS refuses, or something else wrote in it."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from auditor.history.values import HistoryError
from tests.examples import ACCOUNT
from tests.history.conftest import (
    ALL,
    TABLE,
    Clock,
    found,
    history,
    run,
)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"known": {"S": "{}"}}, "id: Field required"),
        ({"known": {"S": "nonsense"}}, "its attributes are incomplete"),
        ({"version": {"S": "x"}}, "its attributes are incomplete"),
        ({"untold": {"S": "nothing"}}, "untold is no kind of change"),
        ({"sk": {"S": "id-\u202eb"}}, "its key is another finding's"),
    ],
)
def test_a_damaged_item_is_named(
    dynamodb: Any, clock: Clock, change: dict[str, Any], why: str
) -> None:
    """What can't be read isn't left out, which would make its finding new: the line names it."""
    kept = history(dynamodb, clock)
    kept.record("r", found("a"), ALL)
    key = {"pk": {"S": f"findings#{ACCOUNT}"}, "sk": {"S": "id-a"}}
    item = dynamodb.get_item(TableName=TABLE, Key=key)["Item"]
    dynamodb.put_item(TableName=TABLE, Item=item | change)

    with pytest.raises(HistoryError) as caught:
        kept.record("s", found("a", day=1), ALL)

    text = str(caught.value)
    assert text.startswith(f"DynamoDB table {TABLE}: item findings#{ACCOUNT} id-")
    assert why in text
    assert text.isprintable()


def error(code: str, message: str, **more: Any) -> ClientError:
    response: Any = {"Error": {"Code": code, "Message": message}, **more}
    return ClientError(response, "Something")


class Failing:
    """A client of which one operation fails, some times or always."""

    def __init__(self, client: Any, operation: str, trouble: Exception, times: int = 99) -> None:
        self.client, self.operation, self.trouble, self.times = client, operation, trouble, times

    def __getattr__(self, name: str) -> Any:
        def call(**arguments: Any) -> Any:
            if name == self.operation and self.times:
                self.times -= 1
                raise self.trouble
            return getattr(self.client, name)(**arguments)

        return call


@pytest.mark.parametrize("operation", ["query", "get_item", "put_item", "transact_write_items"])
@pytest.mark.parametrize(
    "trouble",
    [
        error("AccessDeniedException", "User: x is not\nauthorized \x1b[31m"),
        EndpointConnectionError(endpoint_url="https://dynamodb.example"),
        error(
            "SignatureDoesNotMatch", "wrong. The Canonical String for this was x-amz-token:SECRET"
        ),
    ],
)
def test_a_refusal_is_one_line(
    dynamodb: Any, clock: Clock, operation: str, trouble: Exception
) -> None:
    """What AWS says is passed on in one printable line with the table, and no secret."""
    kept = history(Failing(dynamodb, operation, trouble), clock)

    with pytest.raises(HistoryError) as caught:
        run(kept, "r", found("a"), [])

    text = str(caught.value)
    assert text.startswith(f"DynamoDB table {TABLE}: ")
    assert text.isprintable()
    assert "SECRET" not in text


def conflict(*reasons: str) -> ClientError:
    told = [{"Code": one} for one in reasons]
    return error("TransactionCanceledException", "cancelled", CancellationReasons=told)


@pytest.mark.parametrize("reason", ["TransactionConflict", "ThrottlingError"])
def test_a_transaction_in_the_way_is_waited_for(
    dynamodb: Any, clock: Clock, monkeypatch: pytest.MonkeyPatch, reason: str
) -> None:
    """Another transaction on the same items, or throttling, passes: it is tried again, later."""
    waits: list[float] = []
    sent: list[list[str]] = []
    kept = history(Failing(dynamodb, "transact_write_items", conflict(reason), 3), clock)
    monkeypatch.setattr(kept._table, "_sleep", waits.append)

    run(kept, "r", found("a"), sent)

    assert sent == [["new a"]]
    assert waits == [0.1, 0.2, 0.4]


def test_a_transaction_always_in_the_way_is_given_up(
    dynamodb: Any, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It isn't tried for ever, and what is to be told stays so."""
    kept = history(
        Failing(dynamodb, "transact_write_items", conflict("TransactionConflict")), clock
    )
    monkeypatch.setattr(kept._table, "_sleep", lambda _: None)

    with pytest.raises(HistoryError, match="met other writes"):
        kept.record("r", found("a"), ALL)
    assert kept.state("r") == "new"
