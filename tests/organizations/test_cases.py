"""What AWS's pages say of SCP levels, identities' policies, chains and IAM actions."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from auditor.audit import audit

from .cases import Case, differences, every

if TYPE_CHECKING:
    from collections.abc import Iterator

    from _pytest.mark.structures import ParameterSet

NOW = datetime(2026, 11, 23, 3, tzinfo=UTC)


# Where the auditor says something else than the page beside the case, and why that matters. A case
# that comes to pass fails the run until it is taken off the list.
UNREADABLE = "another document decides alone, whatever the unreadable one holds"
DIFFERENT = {
    "identity-policies/unreadable-policy-below-an-scp": UNREADABLE,
    "identity-policies/unreadable-policy-and-own-deny": UNREADABLE,
    "scp-levels/unreadable-scp-of-a-closed-role": "an SCP grants nothing, whatever it holds",
    "scp-levels/unreadable-scp-below-a-deny": UNREADABLE,
    "role-chains/session-tags": "whether sts:TagSession is allowed too isn't looked at: possible",
    "self-granting/deletes-without-a-deny": "to delete a Deny that a remedy adds",
    "self-granting/detaches-without-a-deny": "to detach a Deny that a remedy adds",
}


def _cases() -> Iterator[ParameterSet]:
    for case in every():
        reason = DIFFERENT.get(case.id)
        marks = () if reason is None else (pytest.mark.xfail(reason=reason, strict=True),)
        yield pytest.param(case, id=case.id, marks=marks)


@pytest.mark.parametrize("case", list(_cases()))
def test_case(case: Case) -> None:
    """The report on an account says what the page beside the case makes of it."""
    report = audit(case.account, now=NOW)

    assert differences(report, case.expect) == []


def test_the_list_of_differences_names_cases() -> None:
    """Nothing stays on the list after its case is gone."""
    assert set(DIFFERENT) <= {case.id for case in every()}
