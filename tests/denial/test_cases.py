"""Every wording that is on record is understood, and nothing is found where nothing is."""

from __future__ import annotations

import re

import pytest

from auditor.denial.find import find
from tests.denial.cases import Case, read, told

CASES = read()
REFUSED = [case for case in CASES if case.finds]
QUIET = [case for case in CASES if not case.finds and not case.problems]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_case(case: Case) -> None:
    """Who was refused, which action, on what and why come out as the case says, in the log's order;
    so do other problems, and refusals that aren't about mail.
    """
    found = find(case.text)

    assert len(found.denials) == len(case.finds)
    for denial, expected in zip(found.denials, case.finds, strict=True):
        answer = told(denial)
        assert {key: answer[key] for key in expected} == expected
    assert {one.row for one in found.troubles} == set(case.problems)
    assert [one.what for one in found.others] == case.others
    assert bool(found) is bool(case.finds or case.problems)


def test_there_are_enough() -> None:
    """At least sixty refusals over a dozen SDKs, twenty texts without one, each with its source."""
    assert len(REFUSED) >= 60
    assert len({case.sdk for case in REFUSED}) >= 12
    assert len(QUIET) >= 20
    assert all(re.match(r"https://", case.source) for case in CASES)
    assert len({(case.file, case.name) for case in CASES}) == len(CASES)


def test_nothing_real_is_in_them() -> None:
    """Cases are modelled on public pages, not copied: accounts and domains are made up."""
    for case in CASES:
        for account in re.findall(r":(\d{12}):", case.text):
            assert account in ("123456789012", "210987654321"), case
        for domain in re.findall(r"@([\w.-]+\.\w+)", case.text):
            assert domain.startswith(("example.", "iam.")) or "aws-sdk" in domain, (case, domain)
