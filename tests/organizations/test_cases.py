"""What AWS's pages say of SCP levels, identities' policies, chains and IAM actions, case by case."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from auditor.audit import audit

from .cases import Case, differences, every

NOW = datetime(2026, 11, 23, 3, tzinfo=UTC)


@pytest.mark.parametrize("case", every(), ids=lambda case: case.id)
def test_case(case: Case) -> None:
    """The report on an account says what the page beside the case makes of it."""
    report = audit(case.account, now=NOW)

    assert differences(report, case.expect) == []
