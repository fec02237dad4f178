"""The baseline file: what is written is read back, and what isn't one is refused in one line."""

from __future__ import annotations

import json
import os
import threading
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings

from auditor.errors import AuditorError
from auditor.history.file import DAYS_KEPT, VERSION, Baseline, compared, read, update
from auditor.history.values import HistoryError
from auditor.life import live
from tests.history.conftest import ALL, START, found
from tests.strategies import reports

if TYPE_CHECKING:
    from pathlib import Path

    from auditor.findings import Report

LAW = settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)


def keep(path: Path, report: Report) -> None:
    update(path, lambda before: compared(before, report, ALL).baseline)


@LAW
@given(reports())
def test_what_is_written_is_read_back(tmp_path: Path, report: Report) -> None:
    """Whatever an audit finds, however odd its names, the file gives it back, as ASCII."""
    path = tmp_path / "b.json"
    path.unlink(missing_ok=True)
    baseline = compared(None, report, ALL).baseline
    update(path, lambda _: baseline)

    assert read(path) == baseline
    assert path.read_text("ascii").endswith("\n}\n")
    assert live(baseline.findings, report, ALL)[0] == baseline.findings


def test_a_finding_a_line_and_nothing_twice(tmp_path: Path) -> None:
    """Updating again with the same report leaves the same bytes; a change is a line's change."""
    path = tmp_path / "b.json"
    keep(path, found("a", "b"))
    first = path.read_text().splitlines()
    keep(path, found("a", "b"))
    assert path.read_text().splitlines() == first

    keep(path, found("b"))
    changed = [line for line in path.read_text().splitlines() if line not in first]
    assert len(changed) == 2  # the finding that was resolved, and the day's count
    assert '"status": "resolved"' in changed[0]


def test_there_need_be_no_file(tmp_path: Path) -> None:
    """Where there is no file there is no baseline, which is no error yet."""
    assert read(tmp_path / "none.json") is None
    assert read(tmp_path / "no" / "folder.json") is None


def test_what_the_first_version_wrote_is_read_and_written_anew(tmp_path: Path) -> None:
    """Its number is 1; what is written has another, so an older auditor names that as the cause."""
    path = tmp_path / "b.json"
    old = good(tmp_path) | {"version": 1}
    for finding in old["findings"]:
        del finding["certainty"]
    path.write_text(json.dumps(old))

    before = read(path)
    assert before
    assert {one.certainty for one in before.findings.values()} == {None}
    keep(path, found("a", "b"))
    assert json.loads(path.read_text())["version"] == VERSION == 2


def good(tmp_path: Path) -> dict[str, Any]:
    path = tmp_path / "good.json"
    keep(path, found("a", "b"))
    content: dict[str, Any] = json.loads(path.read_text())
    return content


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"format": "other"}, "isn't a baseline"),
        ({"version": 3}, "baseline version 3 isn't known; update the auditor"),
        ({"version": [2]}, "baseline version [2] isn't known"),
        ({"version": True}, "baseline version true isn't known"),
        ({"account_id": 12}, "a damaged baseline (its fields)"),
        ({"more": 1}, "a damaged baseline (its fields)"),
        ({"findings": {}}, "findings and days are lists"),
        ({"updated_at": "yesterday"}, "a damaged baseline"),
        ({"updated_at": "2026-11-23T03:00:00"}, "timezone"),
        ({"days": [{}]}, "at: Field required"),
    ],
)
def test_what_is_no_baseline_is_refused(tmp_path: Path, change: dict[str, Any], what: str) -> None:
    """One line says which file, what is wrong with it, and what to do."""
    path = tmp_path / "b.json"
    path.write_text(json.dumps(good(tmp_path) | change))

    with pytest.raises(HistoryError) as caught:
        read(path)

    assert str(caught.value).startswith(f"{path}: ")
    assert what in str(caught.value)
    assert str(caught.value).isprintable()
    assert isinstance(caught.value, AuditorError)


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"severity": "huge"}, "finding 2: severity: "),
        ({"first_seen": "2026-11-24T03:00:00Z"}, "finding 2: its times are out of order"),
        ({"status": "resolved"}, "finding 2: resolved_at is for findings of status resolved"),
        ({"resolved_at": "2026-11-24T03:00:00Z"}, "finding 2: resolved_at is for findings"),
        ({"secret\x1b": 1}, "finding 2: secret"),
        ({"id": "id-a"}, "finding 2: its id is there twice"),
        ({"last_seen": 5e300}, "finding 2: last_seen: "),
    ],
)
def test_a_damaged_finding_is_named(tmp_path: Path, change: dict[str, Any], what: str) -> None:
    """A finding that can't be read isn't left out, which would make it new: its number is said."""
    content = good(tmp_path)
    content["findings"][1] |= change
    path = tmp_path / "b.json"
    path.write_text(json.dumps(content))

    with pytest.raises(HistoryError) as caught:
        read(path)

    assert f"a damaged baseline ({what}" in str(caught.value)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '"x"', "[" * 100_000, "\x00", "\ud800"])
def test_any_other_text_is_refused(tmp_path: Path, text: str) -> None:
    """A file that was cut off, or is something else, is one line, never a traceback."""
    path = tmp_path / "b.json"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))

    with pytest.raises(HistoryError, match=r"isn't JSON|isn't a baseline"):
        read(path)


@pytest.mark.parametrize("kind", ["a directory", "in no directory"])
def test_places_that_can_not_be_written(tmp_path: Path, kind: str) -> None:
    """A place that is no file's is said in one line."""
    path = tmp_path if kind == "a directory" else tmp_path / "no" / "b.json"

    with pytest.raises(HistoryError, match=r"can't be (read|written)"):
        keep(path, found("a"))


def test_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A write that fails leaves the file that was there, and nothing else."""
    path = tmp_path / "b.json"
    keep(path, found("a"))
    before = path.read_bytes()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(HistoryError, match="can't be written \\(No space left on device\\)"):
        keep(path, found("a", "b"))

    assert path.read_bytes() == before
    assert [one.name for one in tmp_path.iterdir()] == ["b.json"]


def test_links_and_permissions_stay(tmp_path: Path) -> None:
    """A symbolic link stays one, and a file keeps who may read it."""
    path, link = tmp_path / "b.json", tmp_path / "link.json"
    keep(path, found("a"))
    path.chmod(0o600)
    link.symlink_to(path)
    keep(link, found("a", "b"))

    assert link.is_symlink()
    assert path.stat().st_mode & 0o777 == 0o600
    kept = read(path)
    assert kept
    assert set(kept.findings) == {"id-a", "id-b"}


def test_two_scans_at_once_lose_nothing(tmp_path: Path) -> None:
    """Scans that write at the same time wait for each other: what each found is there."""
    path = tmp_path / "b.json"
    looked = ALL._replace(globs=("nobody",))  # each knows of its own role alone

    def scan(name: str) -> None:
        report = found(name)
        update(path, lambda before: compared(before, report, looked).baseline)

    threads = [threading.Thread(target=scan, args=(f"r{n}",)) for n in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()

    kept = read(path)
    assert kept
    assert len(kept.findings) == len(threads)


def test_days(tmp_path: Path) -> None:
    """A day's last whole audit counts, limited ones don't, and old days go."""
    baseline: Baseline | None = None
    for day in range(DAYS_KEPT + 2):
        baseline = compared(baseline, found("a", day=day), ALL).baseline
    assert baseline
    assert len(baseline.days) == DAYS_KEPT
    assert baseline.days[0].at == START + timedelta(days=2)

    late = compared(None, found("a", "b", seconds=9), ALL).baseline
    early = compared(late, found("a"), ALL).baseline
    limited = compared(late, found(seconds=99), ALL._replace(globs=("x",))).baseline
    for one in (late, early, limited):
        assert [day.proven for day in one.days] == [2]
    assert early.updated_at == late.updated_at
    path = tmp_path / "b.json"
    update(path, lambda _: limited)
    assert read(path) == limited


def test_another_accounts_findings_stay() -> None:
    """What is known of another account isn't resolved by this one's audit."""
    baseline = compared(None, found("a"), ALL).baseline
    other = ALL._replace(account_id="210987654321")

    changes = compared(baseline, replace(found(), account_id="210987654321"), other).changes

    assert not changes
