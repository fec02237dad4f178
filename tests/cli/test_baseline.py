"""``scan --baseline`` and ``--exceptions``, as users run them."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from auditor.cli import main
from tests.cli.conftest import NOTHING, ODD, OPEN, POSSIBLE, SAFE, page, role, run

DOCS = Path(__file__).parents[2] / "docs"
BROKEN = role("safe", Action="ses:SendEmail", Resource="*")
RENAMED = role("renamed", Action="ses:SendEmail", Resource="*")
CLOSED = role("open", Action="s3:GetObject", Resource="*")


class Done(NamedTuple):
    returncode: int
    stdout: str
    stderr: str


class Desk:
    """A folder with an account, a baseline and a file of exceptions, and the command in it."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self.capsys = capsys
        self.baseline = folder / "baseline.json"

    def exceptions(self, *entries: str) -> None:
        lines = "".join(f"  - {{{one}}}\n" for one in entries)
        (self.folder / "e.yaml").write_text(f"exceptions:\n{lines}", "utf-8")

    def scan(self, day: int, *roles: dict[str, Any], more: tuple[str, ...] = ()) -> Done:
        (self.folder / "account.json").write_text(page(*roles), "utf-8")
        options = ("--snapshot", "account.json", "--now", f"2026-11-{day:02}T03:00:00Z")
        status = main(["scan", *options, *more])
        return Done(status, *self.capsys.readouterr())

    def kept(self, day: int, *roles: dict[str, Any], more: tuple[str, ...] = ()) -> Any:
        options = ("--baseline", "baseline.json", "--update-baseline", "--format", "json", *more)
        done = self.scan(day, *roles, more=options)
        assert done.returncode in (0, 1, 3), done.stderr
        return json.loads(done.stdout)


@pytest.fixture
def desk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Desk:
    monkeypatch.chdir(tmp_path)
    # The machine's clock, which --now may not be far ahead of.
    monkeypatch.setattr("auditor.cli.kept.clock", lambda: datetime(2026, 11, 30, tzinfo=UTC))
    return Desk(tmp_path, capsys)


def lives(report: Any) -> dict[str, str]:
    return {
        one["name"]: finding["life"]["status"]
        for one in report["roles"]
        for finding in (*one["findings"], *one["suppressed"])
    }


def gone(report: Any) -> list[str]:
    return [one["role_arn"].rpartition("/")[2] for one in report["resolved"]]


def test_audits_in_a_row(desk: Desk) -> None:
    """Fixed, broken, renamed, undetermined and filtered roles, one scan after the other."""
    first = desk.kept(1, OPEN, POSSIBLE, SAFE)
    assert lives(first) == {"open": "new", "possible": "new"}
    assert first["resolved"] == []

    again = desk.kept(2, OPEN, POSSIBLE, SAFE)
    assert lives(again) == {"open": "open", "possible": "open"}
    (life,) = (f["life"] for r in again["roles"] for f in r["findings"] if r["name"] == "open")
    assert (life["first_seen"], life["last_seen"]) == (
        "2026-11-01T03:00:00Z",
        "2026-11-02T03:00:00Z",
    )

    changed = desk.kept(3, RENAMED, POSSIBLE, BROKEN)
    assert lives(changed) == {"possible": "open", "renamed": "new", "safe": "new"}
    assert gone(changed) == ["open"]

    filtered = desk.kept(4, RENAMED, POSSIBLE, SAFE, more=("--role", "possible"))
    assert gone(filtered) == []
    undetermined = desk.kept(5, role("renamed", **_statement(ODD)), POSSIBLE, SAFE)
    assert gone(undetermined) == ["safe"]
    assert gone(desk.kept(6, POSSIBLE, SAFE, OPEN)) == ["renamed"]
    assert lives(desk.kept(7, OPEN)) == {"open": "open"}
    assert gone(desk.kept(8, NOTHING)) == ["open"]


def _statement(one: dict[str, Any]) -> dict[str, Any]:
    statement: dict[str, Any] = one["RolePolicyList"][0]["PolicyDocument"]["Statement"][0]
    return {key: value for key, value in statement.items() if key != "Effect"}


def test_the_same_scan_twice(desk: Desk) -> None:
    """Updating twice leaves the same file; comparing alone leaves it as it is."""
    desk.kept(1, OPEN, SAFE)
    before = desk.baseline.read_bytes()
    desk.kept(1, OPEN, SAFE)
    assert desk.baseline.read_bytes() == before

    done = desk.scan(2, POSSIBLE, more=("--baseline", "baseline.json"))
    assert "1 new, 0 reopened, 1 resolved, 0 still open." in done.stdout
    assert desk.baseline.read_bytes() == before


WHO = "reason: r, owner: o, expires: 2027-01-01"
SENDER = role(
    "open",
    Action="ses:SendEmail",
    Resource="*",
    Condition={"StringLike": {"ses:FromAddress": "*@example.com"}},
)


def test_what_gets_worse_is_told(desk: Desk) -> None:
    """Medium to high, and under an exception too: counted, listed, and in the JSON."""
    desk.kept(1, SENDER, SAFE)
    both = ("--baseline", "baseline.json")
    done = desk.scan(2, OPEN, SAFE, more=both)
    assert "0 new, 0 reopened, 1 worse, 0 resolved, 0 still open." in done.stdout
    assert "worse than before, first seen 2026-11-01T03:00:00Z: high unrestr" in done.stdout
    assert lives(json.loads(desk.scan(2, OPEN, more=(*both, "--format", "json")).stdout)) == {
        "open": "worse"
    }
    desk.exceptions(COVER)
    done = desk.scan(2, OPEN, more=(*both, "--exceptions", "e.yaml"))
    assert "1 suppressed" in done.stdout
    desk.kept(1, SENDER, more=("--exceptions", "e.yaml"))
    for name in ("table", "json", "sarif", "csv", "html", "markdown", "junit"):
        more = (*both, "--exceptions", "e.yaml", "--format", name)
        text = desk.scan(2, OPEN, more=more).stdout
        assert "worse" in text or name == "sarif"  # has no such word: "updated"
    (desk.folder / "baseline.json").unlink()
    desk.kept(1, OPEN)
    assert lives(desk.kept(2, OPEN)) == {"open": "open"}


def test_a_time_that_is_to_come_is_not_kept(desk: Desk) -> None:
    """One such audit would keep all later ones from resolving anything: nothing is written."""
    both = ("--baseline", "baseline.json", "--update-baseline")
    more = (*both, "--output", "report.txt", "--now", "2026-12-01T00:00:01Z")
    done = desk.scan(1, OPEN, more=more)
    assert (done.returncode, done.stdout) == (2, "")
    assert "more than a day ahead of the clock" in done.stderr.splitlines()[-1]
    assert sorted(one.name for one in desk.folder.iterdir()) == ["account.json"]
    desk.kept(1, OPEN, more=("--now", "2026-12-01T00:00:00Z"))


def test_what_only_a_later_audit_saw_is_not_called_unseen(desk: Desk) -> None:
    """This one looked, and it is gone: it says that a later one knows of it, and what to do."""
    desk.kept(20, OPEN, SAFE)
    done = desk.scan(10, SAFE, more=("--baseline", "baseline.json"))
    text = " ".join(done.stdout.split())
    assert "0 resolved, 0 still open, 1 known of a later audit alone." in text
    assert "ot looked at" not in text
    (line,) = [one for one in done.stderr.splitlines() if "later audit" in one]
    assert "(2026-11-20T03:00:00Z)" in line
    assert "remove it and begin anew with --update-baseline" in line
    more = ("--baseline", "baseline.json", "--format", "json")
    told = json.loads(desk.scan(10, SAFE, more=more).stdout)
    assert told["not_looked_at"] == []
    assert [one["role_arn"] for one in told["known_later"]] == [OPEN["Arn"]]


def test_an_exception_for_what_was_not_decided_is_not_called_idle(desk: Desk) -> None:
    """Nobody is advised to remove one for a role that is undetermined, or was left out."""
    half = role("half", **_statement(ODD))
    for exception, more in (("half", ()), ("open", ("--role", "safe"))):
        desk.exceptions(f"role: {exception}, rule: '*', {WHO}")
        options = ("--exceptions", "e.yaml", *more)
        done = desk.scan(1, half, SAFE, OPEN, more=options)
        assert done.returncode in (0, 1, 3)
        assert "covers nothing" not in done.stdout + done.stderr
        done = desk.scan(1, half, SAFE, OPEN, more=(*options, "--format", "json"))
        assert [one["state"] for one in json.loads(done.stdout)["exceptions"]] == ["unknown"]
    desk.exceptions(f"role: gone, rule: '*', {WHO}")
    done = desk.scan(1, half, SAFE, more=("--exceptions", "e.yaml", "--role", "safe"))
    assert "remove it where nothing needs it" in done.stderr


def test_the_table_says_what_changed_first(desk: Desk) -> None:
    """The counts stand above the overview, and what is new and resolved is listed."""
    desk.kept(1, OPEN)
    done = desk.scan(2, POSSIBLE, more=("--baseline", "baseline.json"))

    assert done.stdout.splitlines()[3] == (
        "Since earlier audits: 1 new, 0 reopened, 1 resolved, 0 still open."
    )
    assert "new: medium undefined-condition: ses:SendEmail" in done.stdout
    assert "Resolved since earlier audits\n  arn:aws:iam::123456789012:role/open" in done.stdout
    assert done.stderr == ""


@pytest.mark.parametrize(("roles", "status"), [((OPEN,), 1), ((SAFE,), 0), ((SAFE, ODD), 3)])
def test_a_baseline_never_changes_the_status(
    desk: Desk, roles: tuple[dict[str, Any], ...], status: int
) -> None:
    """New or old, an exposure is one; nothing that is known makes it less."""
    kept = ("--baseline", "baseline.json", "--update-baseline")
    assert [desk.scan(day, *roles, more=kept).returncode for day in (1, 2)] == [status, status]


def test_a_page_gets_the_trend(desk: Desk) -> None:
    """The days in the baseline are drawn in the html report."""
    desk.kept(1, OPEN, POSSIBLE)
    desk.kept(2, OPEN)
    done = desk.scan(3, SAFE, more=("--baseline", "baseline.json", "--format", "html"))

    assert done.returncode == 0, done.stderr
    assert "2026-11-01" in done.stdout
    assert "2026-11-02" in done.stdout


@pytest.mark.parametrize("limit", [("--role", "*"), ("--role", "safe")])
def test_a_limited_audit_gets_no_trend(desk: Desk, limit: tuple[str, ...]) -> None:
    """Some roles are never drawn beside days of the whole account: they would look better."""
    desk.kept(1, OPEN, POSSIBLE)
    options = ("--baseline", "baseline.json", "--format", "html", *limit)
    done = desk.scan(3, SAFE, more=options)

    assert done.returncode == 0, done.stderr
    assert 'id="trend-title"' not in done.stdout


def test_what_could_not_be_looked_at_is_counted(desk: Desk) -> None:
    """Found before, and now neither found nor resolved: the counts and the JSON say so."""
    desk.kept(1, OPEN, RENAMED)
    hidden = role("renamed", **_statement(ODD))
    done = desk.scan(2, OPEN, hidden, more=("--baseline", "baseline.json"))
    assert "0 new, 0 reopened, 0 resolved, 1 still open, 1 not decided." in " ".join(
        done.stdout.split()
    )

    report = desk.kept(2, OPEN, hidden)
    assert [one["role_arn"].rpartition("/")[2] for one in report["not_looked_at"]] == ["renamed"]
    assert report["not_looked_at"][0]["first_seen"] == "2026-11-01T03:00:00Z"
    assert [one["role_arn"] for one in desk.kept(3, OPEN, RENAMED)["not_looked_at"]] == []


COVER = "role: open, rule: unrestricted-send, reason: known, owner: team-mail, expires: 2026-11-02"


def test_exceptions(desk: Desk) -> None:
    """A covered role is listed apart and fails nothing, until the exception expires."""
    desk.exceptions(COVER, "role: gone, rule: '*', reason: r, owner: o, expires: 2027-01-01")
    options = ("--exceptions", "e.yaml", "--baseline", "baseline.json", "--update-baseline")
    first = desk.scan(1, OPEN, SAFE, more=options)
    last = desk.scan(2, OPEN, SAFE, more=options)
    after = desk.scan(3, OPEN, SAFE, more=options)

    assert (first.returncode, last.returncode, after.returncode) == (0, 0, 1)
    assert "2 roles: 0 exposed" in first.stdout
    assert "until 2026-11-02, team-mail: known" in first.stdout.replace("\n    ", " ")
    assert first.stderr == (
        "auditor: warning: e.yaml:3: the exception for gone, * (owner: o) covers nothing that this"
        " audit found; remove it where nothing needs it\n"
    )
    assert "e.yaml:2: the exception for open, unrestricted-send (owner: team-mail) expired on" in (
        after.stderr
    )
    assert "0 new, 1 reopened, 0 resolved" in after.stdout


def test_exceptions_in_the_json(desk: Desk) -> None:
    """The finding moves to suppressed with who answers for it, and the verdict stays."""
    desk.exceptions(COVER)
    report = json.loads(
        desk.scan(1, OPEN, more=("--exceptions", "e.yaml", "--format", "json")).stdout
    )

    (one,) = report["roles"]
    assert (one["verdict"], one["findings"]) == ("exposed", [])
    exception = {
        "role": "open",
        "rule": "unrestricted-send",
        "reason": "known",
        "owner": "team-mail",
        "expires": "2026-11-02",
    }
    assert one["suppressed"][0]["exception"] == exception
    assert report["summary"]["exposed"] == 0
    assert report["summary"]["suppressed"] == 1
    assert report["exceptions"] == [{**exception, "state": "used"}]
    assert "resolved" not in report


def test_a_scan_without_them_says_nothing_of_them(desk: Desk) -> None:
    """The fields of exceptions and baselines are there only where they were given."""
    report = json.loads(desk.scan(1, OPEN, more=("--format", "json")).stdout)

    assert not {"exceptions", "resolved"} & set(report)
    assert "life" not in report["roles"][0]["findings"][0]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--update-baseline",), "--update-baseline: needs --baseline FILE"),
        (("--baseline", "none.json"), "--baseline none.json: there is no such file"),
        (("--baseline", ""), "--baseline: no file is named"),
        (("--baseline", "."), ".: can't be read (Is a directory)"),
        (("--baseline", "account.json"), "account.json: isn't a baseline"),
        (("--baseline", "account.json", "--update-baseline"), "account.json: isn't a baseline"),
        (("--baseline", "no/b.json", "--update-baseline"), "there is no directory no"),
        (("--baseline", "o.txt", "--update-baseline", "--output", "o.txt"), "file of --baseline"),
        (("--exceptions", "none.yaml"), "--exceptions none.yaml: can't be read: No such file"),
        (("--exceptions", ""), "--exceptions: no file is named"),
        (("--exceptions", "account.json"), "account.json:1: nested too deeply"),
        (("--exceptions", "bad.yaml"), "bad.yaml:2: 'rol' is no key here; did you mean role?"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_audited(
    desk: Desk, options: tuple[str, ...], told: str
) -> None:
    """Status 2 and one line on standard error, no report, and no file made."""
    (desk.folder / "bad.yaml").write_text("exceptions:\n  - rol: x\n")
    before = {"account.json", "bad.yaml"}
    done = desk.scan(1, OPEN, more=options)

    assert done.returncode == 2
    assert done.stdout == ""
    assert told in done.stderr
    assert done.stderr.count("\n") == 1
    assert {one.name for one in desk.folder.iterdir()} == before


def test_another_accounts_baseline_is_refused(desk: Desk) -> None:
    """A baseline is one account's: another's resolves nothing, and is an error."""
    desk.kept(1, OPEN)
    before = desk.baseline.read_bytes()
    other = json.loads(json.dumps(OPEN).replace("123456789012", "210987654321"))
    done = desk.scan(2, other, more=("--baseline", "baseline.json", "--update-baseline"))

    assert done.returncode == 2
    assert "is account 123456789012's, and this is 210987654321" in done.stderr
    assert desk.baseline.read_bytes() == before

    empty = desk.scan(2, more=("--baseline", "baseline.json", "--update-baseline"))
    assert empty.returncode == 2
    assert "doesn't say which account" in empty.stderr


def test_an_audit_of_an_earlier_time_warns(desk: Desk) -> None:
    """A baseline that knows of a later audit isn't undone by an earlier time, and says so."""
    desk.kept(2, SAFE)
    desk.kept(5, OPEN)
    done = desk.scan(3, SAFE, more=("--baseline", "baseline.json"))

    assert "knows of a later audit (2026-11-05T03:00:00Z)" in done.stderr
    assert "0 new, 0 reopened, 0 resolved" in done.stdout


def test_yaml_is_imported_only_where_a_file_is_given(desk: Desk) -> None:
    """Start-up doesn't pay for what most runs don't use."""
    desk.exceptions(COVER)
    told = {}
    for options in ((), ("--exceptions", "e.yaml"), ("--baseline", "baseline.json")):
        desk.kept(1, OPEN)
        arguments = ["scan", "--snapshot", "account.json", *options]
        code = (
            "import sys; from auditor.cli import main; "
            f"status = main({arguments!r}); "
            "print('modules:', *sorted({'yaml'} & set(sys.modules)), file=sys.stderr)"
        )
        done = run("-c", code, command=(sys.executable,), cwd=desk.folder)
        told[options[:1]] = done.stderr.splitlines()[-1].split()[1:]
    assert told == {(): [], ("--exceptions",): ["yaml"], ("--baseline",): []}


def test_the_pages_example_is_read(desk: Desk) -> None:
    """The file in docs/exceptions.md is one, and its errors are those that the page shows."""
    text = (DOCS / "exceptions.md").read_text("utf-8")
    example = text.split("```yaml\n")[1].split("```")[0]
    (desk.folder / "exceptions.yaml").write_text(example)
    done = desk.scan(1, SAFE, more=("--exceptions", "exceptions.yaml"))
    assert done.returncode == 0
    assert "codebuild-newsletter, other-recipients-allowed (owner: team-mail)" in done.stderr

    shown = text.split("```text\n")[1].split("```")[0].splitlines()
    broken = [
        example.replace("other-recipients-allowed", "unrestricted-sends"),
        example.replace("2027-01-31", "31.01.2027"),
        example + "    role: again\n",
        example.replace("other-recipients-allowed", "*"),
    ]
    for line, wrong in zip(shown, broken, strict=True):
        (desk.folder / "exceptions.yaml").write_text(wrong)
        done = desk.scan(1, SAFE, more=("--exceptions", "exceptions.yaml"))
        assert done.stderr == f"auditor: error: {line}\n"
