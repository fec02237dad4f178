"""What a night rests on beside the account: the file of exceptions, the history, the memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import boto3
import pytest

from auditor.errors import AuditorError, InputError
from auditor.history.client import Table
from auditor.history.values import HistoryError
from tests.lambda_app.nights import audit, refuse, told
from tests.lambda_app.world import HISTORY, OPEN, hook

if TYPE_CHECKING:
    from pathlib import Path

    from tests.lambda_app.world import World

NEW = ("changes", {"new": [OPEN]})
EXCEPTION = f"""exceptions:
  - role: {OPEN}
    rule: "*"
    reason: a newsletter
    owner: team@example.com
    expires: "2099-12-31"
"""


@pytest.mark.parametrize("place", ["ssm:/auditor/exceptions", "s3://exceptions/auditor/file.yaml"])
def test_an_exception_covers_a_finding(
    world: World, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    """Covered it is told once, and isn't all clear; without its exception it is open again."""
    audit()
    put_exceptions(EXCEPTION)
    monkeypatch.setenv("AUDITOR_EXCEPTIONS", place)
    assert audit()["summary"]["suppressed"] == 1
    audit()
    put_exceptions("exceptions: []")
    audit()
    assert told(world) == [
        NEW,
        ("changes", {"suppressed": [OPEN]}),
        ("changes", {"reopened": [OPEN]}),
    ]


def test_a_file_of_exceptions_may_lie_in_the_package(
    world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """``package:exceptions.yaml`` is the file beside app.py; a missing one fails the audit."""
    monkeypatch.setattr("chalicelib.places.__file__", str(tmp_path / "chalicelib" / "places.py"))
    monkeypatch.setenv("AUDITOR_EXCEPTIONS", "package:exceptions.yaml")
    with pytest.raises(InputError, match=r"package:exceptions.yaml: can't be read"):
        audit()
    assert "exceptions.yaml" in world.heard()[0]
    (tmp_path / "exceptions.yaml").write_text(EXCEPTION, "utf-8")
    assert audit()["summary"]["suppressed"] == 1


def put_exceptions(text: str) -> None:
    """Put a file where both places look."""
    boto3.client("ssm").put_parameter(
        Name="/auditor/exceptions", Value=text, Type="String", Overwrite=True
    )
    s3 = boto3.client("s3")
    if "exceptions" not in [one["Name"] for one in s3.list_buckets()["Buckets"]]:
        s3.create_bucket(
            Bucket="exceptions", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
        )
    s3.put_object(Bucket="exceptions", Key="auditor/file.yaml", Body=text.encode())


@pytest.mark.parametrize(
    ("place", "text", "named"),
    [
        (
            "ssm:/auditor/exceptions",
            EXCEPTION.replace("owner", "ownr"),
            "ssm:/auditor/exceptions:5",
        ),
        ("s3://exceptions/auditor/file.yaml", "nonsense", "s3://exceptions/auditor/file.yaml:1"),
        ("ssm:/auditor/missing", EXCEPTION, "/auditor/missing"),
        ("s3://exceptions/missing", EXCEPTION, "s3://exceptions/missing"),
        ("s3://nobody-s-bucket/x", EXCEPTION, "s3://nobody-s-bucket/x"),
    ],
)
def test_a_bad_file_of_exceptions_fails_loudly(
    world: World, monkeypatch: pytest.MonkeyPatch, place: str, text: str, named: str
) -> None:
    """The run fails, and the topic is told where and what is wrong, once a run."""
    put_exceptions(text)
    monkeypatch.setenv("AUDITOR_EXCEPTIONS", place)
    for _ in range(3):  # Lambda's two more tries
        with pytest.raises(InputError, match=named):
            audit("the same run")
    (message,) = world.heard()
    assert "could not be done" in message or "failed" in message
    assert named in message


def test_a_history_that_cannot_be_read_fails_loudly(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without its table an audit knows nothing of changes: it fails, and the topic is told."""
    with monkeypatch.context() as broken:
        hook(broken, "before-call.dynamodb", refuse)
        with pytest.raises(HistoryError):
            audit()
    (message,) = world.heard()
    assert HISTORY in message

    audit()
    assert told(world) == [NEW]


def test_a_memory_that_somebody_damaged_is_named(world: World) -> None:
    """An item of another shape fails its channel, with what to do about it."""
    table = Table(boto3.client("dynamodb"), HISTORY)  # type: ignore[arg-type]  # boto3's own types
    item: Any = {"pk": {"S": "heard#123456789012"}, "sk": {"S": "topic"}, "open": {"S": "x"}}
    assert table.put(item, "attribute_not_exists(pk)")
    with pytest.raises(AuditorError, match="heard#123456789012 topic can't be read; remove it"):
        audit()
    assert told(world) == []
