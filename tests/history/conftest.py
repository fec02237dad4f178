"""A table on moto, and reports by the names of what they find."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto import mock_aws

from auditor.findings import Report, RoleReport
from auditor.history.table import TableHistory
from auditor.looked import Looked
from tests.examples import ACCOUNT, OPEN, report, role_arn

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditor.history.table import Outbox

START = datetime(2026, 11, 23, 3, tzinfo=UTC)
ALL = Looked(ACCOUNT, frozenset(), (), True, frozenset())
TABLE = "history"


def found(*names: str, day: int = 0, seconds: int = 0) -> Report:
    """A report in which each role named is exposed; ``ok-…`` and what isn't named isn't."""
    roles = [
        RoleReport(
            role_arn(name), name, (), "exposed", "proven", None, (replace(OPEN, id=f"id-{name}"),)
        )
        for name in names
    ]
    return replace(report(*roles), generated_at=START + timedelta(days=day, seconds=seconds))


def said(outbox: Outbox) -> list[str]:
    """What an outbox tells, as ``kind name`` texts."""
    return [
        f"{kind} {one.id.removeprefix('id-')}"
        for kind, ones in outbox.changes._asdict().items()
        for one in ones
    ]


class Clock:
    """A clock that tests turn."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now


class Killed(BaseException):
    """The process ended here."""


class Watched:
    """A client that can be made to die around its n-th call, or to do something before a write."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self.calls: list[str] = []
        self.die_before: int | None = None
        self.die_after: int | None = None
        self.before_write: Any = None

    def __getattr__(self, operation: str) -> Any:
        def call(**arguments: Any) -> Any:
            if operation == "transact_write_items" and self.before_write is not None:
                act, self.before_write = self.before_write, None
                act()
            self.calls.append(operation)
            if len(self.calls) == self.die_before:
                raise Killed
            answer = getattr(self.client, operation)(**arguments)
            if len(self.calls) == self.die_after:
                raise Killed
            return answer

        return call


@pytest.fixture
def dynamodb(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A low-level client with an empty table."""
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        client = boto3.client("dynamodb", region_name="eu-west-1")
        make_table(client, TABLE)
        yield client


def make_table(client: Any, name: str) -> None:
    client.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in ("pk", "sk")],
        KeySchema=[
            {"AttributeName": "pk", "KeyType": "HASH"},
            {"AttributeName": "sk", "KeyType": "RANGE"},
        ],
    )


@pytest.fixture
def clock() -> Clock:
    return Clock()


def history(client: Any, clock: Clock, name: str = TABLE) -> TableHistory:
    return TableHistory(client, name, ACCOUNT, clock=clock)


def run(
    kept: TableHistory, run_id: str, report: Report, sent: list[list[str]], *, attempt: str = "a"
) -> None:
    """A run as the page says: record, claim, tell, confirm."""
    if kept.state(run_id) == "new":
        kept.record(run_id, report, ALL)
    outbox = kept.claim(attempt)
    assert outbox is not None, "another run is telling"
    if outbox.changes:
        sent.append(said(outbox))
    kept.told(run_id, outbox)
