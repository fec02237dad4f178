"""What the auditor decides, held against the corpus: cases that a reader can check by hand."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from auditor.audit import audit

from .cases import CORPUS, Case, CaseError, account_of, disagreements, read

if TYPE_CHECKING:
    from pathlib import Path

FILES = sorted(CORPUS.glob("*.json"))


def _cases() -> list[Any]:
    found: list[Any] = []
    for path in FILES:
        try:
            found += [pytest.param(case, id=f"{case.theme}/{case.name}") for case in read(path)]
        except CaseError as error:
            # A bad file fails alone, as one test that says what is wrong.
            found.append(pytest.param(error, id=f"{path.stem}/unreadable"))
    return found


@pytest.mark.parametrize("case", _cases())
def test_case(case: Case | CaseError) -> None:
    """Each case of the corpus is decided as its author reasoned."""
    if isinstance(case, CaseError):
        pytest.fail(str(case), pytrace=False)
    (report,) = audit(account_of(case.role), now=case.now).roles
    found = disagreements(report, case.expect)
    assert not found, "\n".join(found)


def test_the_corpus_is_there() -> None:
    """The corpus holds at least 260 cases: an empty folder doesn't pass for a green run."""
    assert sum(len(read(path)) for path in FILES) >= 260


GOOD = {
    "name": "one",
    "why": "Because.",
    "source": "https://example.com",
    "role": {"tags": {}, "boundary": None, "policies": []},
    "expect": {"verdict": "no_send", "certainty": None},
}
NO_WHY = {name: value for name, value in GOOD.items() if name != "why"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "mine.json: not JSON: Expecting property name"),
        ([], "mine.json: should be an object"),
        ({"theme": "mine"}, "mine.json: 'cases' is missing"),
        ({"theme": "yours", "cases": []}, "mine.json: the theme should be the file's name, 'mine'"),
        ({"theme": "mine", "cases": [7]}, "mine.json: case 0: should be an object"),
        ({"theme": "mine", "cases": [NO_WHY]}, "mine.json: case one: 'why' is missing"),
        (
            {"theme": "mine", "cases": [{**GOOD, "wny": "?"}]},
            "mine.json: case one: nobody knows 'wny'; known are expect, name, now, role",
        ),
        (
            {"theme": "mine", "cases": [GOOD, GOOD]},
            "mine.json: case one: there are two cases of this name",
        ),
        (
            {"theme": "mine", "cases": [{**GOOD, "now": "soon"}]},
            "mine.json: case one: 'now' should be an ISO 8601 time",
        ),
        (
            {"theme": "mine", "cases": [{**GOOD, "now": "2026-11-23T03:00:00"}]},
            "mine.json: case one: 'now' should name its time zone",
        ),
        (
            {"theme": "mine", "cases": [{**GOOD, "source": "hearsay"}]},
            "mine.json: case one: give a reason, and a source",
        ),
        (
            {"theme": "mine", "cases": [{**GOOD, "role": {"tags": {}, "policies": []}}]},
            "mine.json: case one: role: 'boundary' is missing",
        ),
        (
            {
                "theme": "mine",
                "cases": [{**GOOD, "expect": {"verdict": "exposed", "certainty": None}}],
            },
            "mine.json: case one: with this verdict the certainty should be one of ('proven'",
        ),
    ],
)
def test_bad_case_file(tmp_path: Path, content: object, message: str) -> None:
    """A bad case file is refused with its name, the case's name and what is wrong."""
    path = tmp_path / "mine.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    with pytest.raises(CaseError) as caught:
        read(path)
    assert str(caught.value).startswith(message)


def test_a_wrong_expectation_is_reported() -> None:
    """A case whose expectation is wrong fails: the runner can tell."""
    case = next(case for path in FILES for case in read(path) if case.name == "plain-allow")
    (report,) = audit(account_of(case.role), now=case.now).roles
    wrong = {
        "verdict": "no_send",
        "certainty": None,
        "rules": ["mixed-recipients"],
        "not_rules": ["unrestricted-send"],
        "severity": "low",
    }
    assert disagreements(report, wrong) == [
        "expected no_send (None), got exposed (proven; None)",
        "rule mixed-recipients is missing from ['unrestricted-send']",
        "rule unrestricted-send shouldn't be there",
        "expected low as the worst severity, got high",
    ]
