"""The exit status, over every combination of what a report can say."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, get_args

import pytest

from auditor.account import Failure
from auditor.cli.status import FailOn, exit_status
from tests import examples

if TYPE_CHECKING:
    from auditor.findings import RoleReport

PROVEN, POSSIBLE, ODD = examples.WEB, examples.BATCH, examples.ODD
SAFE = (examples.TESTS, examples.LINTER)  # one carries a finding of severity info
FAILURE = (Failure("iam:ListRoles", "AccessDenied"),)

# The documented meaning, written out: which kinds of role each --fail-on makes a failure.
FAILS: dict[FailOn, tuple[RoleReport, ...]] = {
    "exposed": (PROVEN,),
    "possible": (PROVEN, POSSIBLE),
    "undetermined": (PROVEN, POSSIBLE, ODD),
    "never": (),
}


@pytest.mark.parametrize("fail_on", get_args(FailOn))
@pytest.mark.parametrize("complete", [True, False])
@pytest.mark.parametrize("present", list(product([False, True], repeat=3)))
def test_every_combination(
    fail_on: FailOn, complete: bool, present: tuple[bool, bool, bool]
) -> None:
    """The status is 1 for what --fail-on names, else 3 where the audit has gaps, else 0."""
    kinds = (PROVEN, POSSIBLE, ODD)
    roles = [role for role, there in zip(kinds, present, strict=True) if there]
    report = examples.report(*roles, *SAFE, errors=() if complete else FAILURE)
    if fail_on == "never":
        expected = 0
    elif any(role in FAILS[fail_on] for role in roles):
        expected = 1
    elif not complete or ODD in roles:
        expected = 3
    else:
        expected = 0
    assert exit_status(report, fail_on) == expected


@pytest.mark.parametrize("fail_on", get_args(FailOn))
def test_low_and_info_never_change_it(fail_on: FailOn) -> None:
    """A bounce or a piece of advice on a safe role is no failure at any threshold."""
    assert exit_status(examples.report(examples.TESTS), fail_on) == 0
    assert exit_status(examples.report(), fail_on) == 0
