"""What ``auditor remediate plan`` leaves alone, and what it warns of: on snapshots, without AWS."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.cli.conftest import OPEN, POSSIBLE, SAFE, page, role, run
from tests.cli.remediate_world import command

if TYPE_CHECKING:
    from pathlib import Path

NOW = "2026-11-23T03:00:00Z"
TWO = role("two", Action=["ses:SendEmail", "ses:SendCustomVerificationEmail"], Resource="*")


class Planned:
    """One run of the command on a snapshot."""

    def __init__(self, folder: Path, roles: tuple[dict[str, Any], ...], *options: str) -> None:
        path = folder / "account.json"
        path.write_text(page(*roles), encoding="utf-8")
        plan = folder / "plan.json"
        plan.unlink(missing_ok=True)
        source = ("--snapshot", str(path), "--now", NOW)
        self.status, self.out, self.err = command("plan", *source, "--output", str(plan), *options)
        self.text = " ".join(self.out.split())
        found = json.loads(plan.read_text()) if plan.exists() else {"changes": [], "left": []}
        self.changed = [one["role_name"] for one in found["changes"]]
        self.why = {one["role_name"]: one["why"]["text"] for one in found["left"]}


def exceptions(folder: Path, *entries: dict[str, str]) -> str:
    """Write a file of exceptions (JSON is YAML), and return its path."""
    path = folder / "exceptions.yaml"
    defaults = {"rule": "*", "reason": "the newsletter", "owner": "marketing"}
    known = [{**defaults, "expires": "2026-12-31", **one} for one in entries]
    path.write_text(json.dumps({"exceptions": known}))
    return str(path)


def test_a_role_with_an_exception_for_every_rule_is_left(tmp_path: Path) -> None:
    """It is named with the exception's reason, owner and last day; the others are planned for."""
    file = exceptions(tmp_path, {"role": "op*"})
    done = Planned(tmp_path, (OPEN, TWO), "--exceptions", file)

    assert done.changed == ["two"]
    assert done.why["open"].startswith(
        "it is excepted until 2026-12-31 (the newsletter; owner: marketing"
    )
    assert "the newsletter; owner: marketing" in done.text
    assert done.status == 3


def test_every_exposing_rule_needs_its_exception(tmp_path: Path) -> None:
    """An exception for the one rule that exposes a role covers it; one for another rule doesn't."""
    right = {"role": "open", "rule": "unrestricted-send"}
    wrong = {"role": "two", "rule": "mixed-recipients"}
    done = Planned(tmp_path, (OPEN, TWO), "--exceptions", exceptions(tmp_path, right, wrong))

    assert done.changed == ["two"]
    assert "until 2026-12-31 from unrestricted-send (the newsletter" in done.why["open"]
    assert "the exception for two, mixed-recipients (owner: marketing) covers nothing" in done.err


def test_a_plan_says_that_it_overrules_an_exception(tmp_path: Path) -> None:
    """A role that is excepted in part is planned for as a whole, with a warning that names whom."""
    all_ = role("all", Action="ses:*", Resource="*")
    part = {"role": "all", "rule": "unrestricted-send"}
    done = Planned(tmp_path, (all_,), "--exceptions", exceptions(tmp_path, part))

    assert (done.changed, done.status) == (["all"], 0)
    assert "! it closes what somebody answers for: its sends by ses:SendBulkT" in done.text
    assert "from unrestricted-send (the newsletter; owner: marketing, " in done.text
    (change,) = json.loads((tmp_path / "plan.json").read_text())["changes"]
    assert [one["code"] for one in change["warnings"]] == ["closes-excepted"]


def test_an_exception_that_ran_out_excepts_nothing(tmp_path: Path) -> None:
    """From the day after its last day on the role is planned for, and the warning says why."""
    old = {"role": "open", "expires": "2026-11-22"}
    done = Planned(tmp_path, (OPEN,), "--exceptions", exceptions(tmp_path, old))

    assert (done.changed, done.status) == (["open"], 0)
    assert "expired on 2026-11-22" in done.err
    last = {"role": "open", "expires": "2026-11-23"}
    assert Planned(tmp_path, (OPEN,), "--exceptions", exceptions(tmp_path, last)).changed == []


def test_a_plan_with_exceptions_can_be_applied(tmp_path: Path) -> None:
    """Its id fits what it says: the reasons of exceptions are part of the plan."""
    Planned(tmp_path, (OPEN, TWO), "--exceptions", exceptions(tmp_path, {"role": "open"}))
    done = run("remediate", "apply", str(tmp_path / "plan.json"))

    assert done.returncode == 2
    assert "nobody can be asked here" in done.stderr


@pytest.mark.parametrize(
    ("text", "told"),
    [("exceptions: [", "isn't YAML"), (None, "can't be read"), ("[]", "exceptions")],
)
def test_a_bad_file_of_exceptions_stops_the_plan(
    tmp_path: Path, text: str | None, told: str
) -> None:
    """One line names the file; nothing is planned without what was to be left alone."""
    path = tmp_path / "exceptions.yaml"
    if text is not None:
        path.write_text(text)
    done = Planned(tmp_path, (OPEN,), "--exceptions", str(path))

    assert (done.status, done.out, done.err.count("\n")) == (2, "", 1)
    assert told in done.err
    assert "exceptions.yaml" in done.err


@pytest.mark.parametrize(
    ("glob", "told"),
    [
        ("nope", "--role nope matches no CodeBuild role"),
        ("opne", "did you mean open?"),
        ("OPEN", "did you mean open?"),
        ("arn:aws:iam::123456789012:role/opem", "did you mean open?"),
        ("x*", "--role x* matches no CodeBuild role"),
    ],
)
def test_a_role_that_is_not_there_is_no_success(tmp_path: Path, glob: str, told: str) -> None:
    """A typing error has a warning and status 3, beside globs that match too."""
    for globs in ((glob,), (glob, "open")):
        done = Planned(tmp_path, (OPEN, SAFE), *(word for one in globs for word in ("--role", one)))
        assert done.status == 3
        assert told in done.err
        assert done.changed == list(globs[1:])


def test_roles_that_are_there_are_no_typing_error(tmp_path: Path) -> None:
    """A role that is safe already, or several that a glob matches, warn of nothing."""
    done = Planned(tmp_path, (OPEN, SAFE), "--role", "saf?")
    assert (done.status, done.err) == (0, "")


@pytest.mark.parametrize("option", ["--role", "--except"])
def test_an_empty_glob_is_refused(tmp_path: Path, option: str) -> None:
    """An empty variable of a script isn't taken for "no roles", nor for "all roles"."""
    done = Planned(tmp_path, (OPEN,), option, "")
    assert (done.status, done.err.count("\n")) == (2, 1)
    assert f"{option}: is empty" in done.err


def test_the_command_that_a_plan_names_can_be_run(tmp_path: Path) -> None:
    """An account that lacks the policy gets a command that creates it."""
    done = Planned(tmp_path, (OPEN, POSSIBLE))
    assert f"auditor remediate apply {tmp_path / 'plan.json'} --create-policies" in done.text
