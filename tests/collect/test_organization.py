"""The organization above an account, and the SCPs of every level: moto's, and what goes wrong."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ReadTimeoutError

from auditor.account import Organization
from auditor.collect.live import collect_account
from tests.collect.values import ACCOUNT
from tests.collect.wire import Request, Wire, answer, fail, ok, refuse

if TYPE_CHECKING:
    from auditor.account import Account

DESCRIBE, PARENTS, ATTACHED, POLICY = (
    f"organizations:{name}"
    for name in ("DescribeOrganization", "ListParents", "ListPoliciesForTarget", "DescribePolicy")
)
FULL = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
}
NO_MAIL = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Deny", "Action": "ses:*", "Resource": "*"}],
}
DENIED = ("AccessDeniedException", "You don't have permissions to access this resource.")


def collect(session: boto3.Session) -> Account:
    return collect_account(session, regions=["us-east-1"])


def organize(session: boto3.Session) -> tuple[Any, str, str]:
    """Make an organization that the session's account manages: (client, its id, its root's)."""
    client = session.client("organizations", region_name="us-east-1")
    identifier = client.create_organization(FeatureSet="ALL")["Organization"]["Id"]
    return client, identifier, client.list_roots()["Roots"][0]["Id"]


def add_member(client: Any) -> str:
    made = client.create_account(AccountName="builds", Email="builds@example.com")
    account_id: str = made["CreateAccountStatus"]["AccountId"]
    return account_id


def session_of(session: boto3.Session, account_id: str, wire: Wire) -> boto3.Session:
    """Return a session in another account, with the same wire."""
    arn = f"arn:aws:iam::{account_id}:role/auditor"
    sts = session.client("sts", region_name="us-east-1")
    keys = sts.assume_role(RoleArn=arn, RoleSessionName="audit")["Credentials"]
    other = boto3.Session(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"])
    wire.attach(other)
    return other


def member_of(session: boto3.Session, wire: Wire) -> boto3.Session:
    """Return a session in a member account that may read the SCPs above it.

    moto tells only the management account what AWS tells delegated administrators too, so the
    member's questions about policies are answered here with the management account's answers.
    """
    manager, _, _ = organize(session)
    member = session_of(session, add_member(manager), wire)
    delegate(manager, wire)
    return member


def delegate(manager: Any, wire: Wire) -> None:
    """Answer the member's questions as the management account's client is answered."""
    calls = {
        PARENTS: manager.list_parents,
        ATTACHED: manager.list_policies_for_target,
        POLICY: manager.describe_policy,
    }
    asking: list[str] = []  # the management account's own questions go on to moto

    def relayed(request: Request) -> Any:
        if asking:
            return None
        asking.append(request.call)
        try:
            said = calls[request.call](**request.fields)
        finally:
            asking.clear()
        return ok({key: value for key, value in said.items() if key != "ResponseMetadata"})

    for call in calls:
        wire.on(call, relayed)


def test_no_organization(session: boto3.Session) -> None:
    """An account on its own has no SCPs, and that is known."""
    account = collect(session)
    assert account.organization is None
    assert account.not_evaluated == ()
    assert account.failures == ()


def test_the_management_account(session: boto3.Session, wire: Wire) -> None:
    """No SCP binds it, so none is asked for."""
    _, identifier, _ = organize(session)
    account = collect(session)
    assert account.organization == Organization(identifier, management=True, levels=())
    assert account.not_evaluated == ()
    assert wire.tries(PARENTS) == wire.tries(ATTACHED) == 0


def test_three_levels(session: boto3.Session, wire: Wire) -> None:
    """Root, unit and account in this order, each with its policies; a policy is read once."""
    manager, identifier, root = organize(session)
    member = add_member(manager)
    unit = manager.create_organizational_unit(ParentId=root, Name="builds")
    unit_id = unit["OrganizationalUnit"]["Id"]
    manager.move_account(AccountId=member, SourceParentId=root, DestinationParentId=unit_id)
    made = manager.create_policy(
        Name="no mail",
        Description="",
        Type="SERVICE_CONTROL_POLICY",
        Content=json.dumps(NO_MAIL),
    )["Policy"]["PolicySummary"]
    for target in (unit_id, member):
        manager.attach_policy(PolicyId=made["Id"], TargetId=target)
    other = session_of(session, member, wire)
    delegate(manager, wire)
    wire.seen.clear()
    account = collect(other)
    assert (account.not_evaluated, account.failures) == ((), ())
    found = account.organization
    assert found
    assert (found.id, found.management) == (identifier, False)
    assert [(level.target, level.name) for level in found.levels] == [
        (root, "root"),
        (unit_id, "organizational unit"),
        (member, "account"),
    ]
    names = [sorted(text.name for text in level.policies) for level in found.levels]
    assert names == [["FullAWSAccess"], ["FullAWSAccess", "no mail"], ["FullAWSAccess", "no mail"]]
    denies = [t for level in found.levels for t in level.policies if t.name == "no mail"]
    assert denies[0] is denies[1]
    assert (denies[0].arn, denies[0].kind, denies[0].missing) == (made["Arn"], "scp", None)
    assert json.loads(str(denies[0].document)) == NO_MAIL
    assert account.api_calls[POLICY] == 2
    assert account.api_calls[PARENTS] == 2
    assert account.api_calls[ATTACHED] == 3


@pytest.mark.parametrize("call", [PARENTS, ATTACHED, DESCRIBE])
def test_denied_to_a_member(session: boto3.Session, wire: Wire, call: str) -> None:
    """Most accounts may not ask for SCPs: they aren't evaluated, and never look like none."""
    member = member_of(session, wire)
    wire.rules.insert(0, lambda r: refuse(*DENIED)(r) if r.call == call else None)
    account = collect(member)
    assert account.not_evaluated == ("scps",)
    assert account.failures == ()
    if call == DESCRIBE:
        assert account.organization is None
    else:
        assert account.organization
        assert (account.organization.management, account.organization.levels) == (False, ())
        assert account.organization.id.startswith("o-")


@pytest.mark.parametrize("call", [DESCRIBE, PARENTS, ATTACHED])
def test_throttled_past_every_retry(
    session: boto3.Session, wire: Wire, waits: list[float], call: str
) -> None:
    """Not to be told for another reason than a denial makes the audit incomplete."""
    member = member_of(session, wire)
    slow = refuse("TooManyRequestsException", "slow down")
    wire.rules.insert(0, lambda r: slow(r) if r.call == call else None)
    account = collect(member)
    assert account.not_evaluated == ("scps",)
    assert account.failures == ((call, "TooManyRequestsException: slow down"),)
    assert len(waits) == 7


def test_read_timeout(session: boto3.Session, wire: Wire, waits: list[float]) -> None:
    """No answer is a failure that names the call."""
    wire.on(DESCRIBE, fail(ReadTimeoutError(endpoint_url="https://organizations/")))
    account = collect(session)
    assert [failure.where for failure in account.failures] == [DESCRIBE]
    assert account.failures[0].message.startswith("ReadTimeoutError")
    assert len(waits) == 7


def told(wire: Wire, levels: dict[str, list[dict[str, Any]]], **more: Any) -> None:
    """Let an organization of these levels (from the account upwards) answer on the wire."""
    up = list(levels)
    kinds = ["ACCOUNT", *["ORGANIZATIONAL_UNIT"] * (len(up) - 2), "ROOT"]

    def parent(request: Request) -> Any:
        above = up.index(request.fields["ChildId"]) + 1
        return ok({"Parents": [{"Id": up[above], "Type": kinds[above]}]})

    about = {"Id": "o-a1b2c3d4e5", "MasterAccountId": "999999999999", "FeatureSet": "ALL", **more}
    wire.on(DESCRIBE, lambda _: ok({"Organization": about}))
    wire.on(PARENTS, parent)
    wire.on(ATTACHED, lambda request: ok({"Policies": levels[request.fields["TargetId"]]}))


def summary(name: str) -> dict[str, Any]:
    return {"Id": f"p-{name}", "Name": name, "Arn": f"arn:aws:organizations::aws:policy/x/p-{name}"}


def test_scps_not_enabled(session: boto3.Session, wire: Wire) -> None:
    """No policy at any level means that SCPs are off: nothing is attached then, and none binds."""
    told(wire, {ACCOUNT: [], "ou-a1b2-x": [], "r-a1b2": []})
    account = collect(session)
    assert account.organization == Organization("o-a1b2c3d4e5", management=False, levels=())
    assert (account.not_evaluated, account.failures) == ((), ())


def test_an_organization_for_billing_alone(session: boto3.Session, wire: Wire) -> None:
    """It has no SCPs, and isn't asked for any."""
    told(wire, {}, FeatureSet="CONSOLIDATED_BILLING")
    account = collect(session)
    assert account.organization == Organization("o-a1b2c3d4e5", management=False, levels=())
    assert (account.not_evaluated, account.failures) == ((), ())
    assert wire.tries(PARENTS) == 0


def test_one_level_without_a_policy(session: boto3.Session, wire: Wire) -> None:
    """AWS keeps one at every level: an empty one isn't taken for "nothing is allowed"."""
    told(wire, {ACCOUNT: [summary("one")], "r-a1b2": []})
    wire.on(POLICY, lambda _: ok({"Policy": {"Content": json.dumps(FULL)}}))
    found = collect(session).organization
    assert found
    root, leaf = found.levels
    assert "none at this level" in str(root.policies[0].missing)
    assert (leaf.policies[0].document, leaf.policies[0].missing) == (json.dumps(FULL), None)


@pytest.mark.parametrize(
    ("rule", "why"),
    [
        (refuse("PolicyNotFoundException", "gone"), "PolicyNotFoundException: gone"),
        (refuse(*DENIED), ": ".join(DENIED)),
        (lambda _: ok({}), "no content in it: something else answered for AWS"),
    ],
)
def test_a_policy_that_cannot_be_read(
    session: boto3.Session, wire: Wire, rule: Any, why: str
) -> None:
    """It is missing out loud, the failures name the first of them, the others are read."""
    told(wire, {ACCOUNT: [summary("a"), summary("b")], "r-a1b2": [summary("c"), summary("a")]})
    wire.on(
        POLICY,
        lambda request: (
            ok({"Policy": {"Content": json.dumps(FULL)}})
            if request.fields["PolicyId"] == "p-c"
            else rule(request)
        ),
    )
    account = collect(session)
    assert account.failures == ((f"{POLICY} p-a", why),)
    assert account.not_evaluated == ()
    found = account.organization
    assert found
    said = [[(t.name, t.missing) for t in level.policies] for level in found.levels]
    assert said == [[("c", None), ("a", why)], [("a", why), ("b", why)]]
    assert account.api_calls[POLICY] == 3


def test_pages_of_policies(session: boto3.Session, wire: Wire) -> None:
    """Policies are listed page by page; a page may be empty though more follow."""
    told(wire, {ACCOUNT: [], "r-a1b2": []})
    pages: dict[str, Any] = {
        "": {"Policies": [], "NextToken": "2"},
        "2": {"Policies": [summary("a")], "NextToken": "3"},
        "3": {"Policies": [summary("b")]},
    }
    wire.rules.insert(
        0,
        lambda r: ok(pages[r.fields.get("NextToken", "")]) if r.call == ATTACHED else None,
    )
    wire.on(POLICY, lambda _: ok({"Policy": {"Content": json.dumps(FULL)}}))
    found = collect(session).organization
    assert found
    assert [[text.name for text in level.policies] for level in found.levels] == [["a", "b"]] * 2


@pytest.mark.parametrize(
    "parents",
    [
        [],
        [{"Id": "r-1", "Type": "ROOT"}, {"Id": "r-2", "Type": "ROOT"}],
        [{"Id": "ou-1", "Type": "ORGANIZATIONAL_UNIT"}],
        [{}],
    ],
    ids=["none", "two", "a circle", "empty"],
)
def test_no_way_to_the_root(session: boto3.Session, wire: Wire, parents: Any) -> None:
    """Answers that lead nowhere, or round and round, end in one failure."""
    told(wire, {ACCOUNT: [], "r-a1b2": []})
    wire.rules.insert(0, lambda r: ok({"Parents": parents}) if r.call == PARENTS else None)
    account = collect(session)
    assert account.not_evaluated == ("scps",)
    (failure,) = account.failures
    assert failure.where == PARENTS
    assert "to the root" in failure.message


@pytest.mark.parametrize("page", ["<html>sign in to the wifi</html>", "", "{}", "[]", "5"])
@pytest.mark.parametrize("call", [DESCRIBE, PARENTS, ATTACHED])
def test_something_else_answers(
    session: boto3.Session, wire: Wire, waits: list[float], call: str, page: str
) -> None:
    """A proxy's page never passes for an account that no SCP binds."""
    told(wire, {ACCOUNT: [], "r-a1b2": []})
    wire.rules.insert(0, lambda r: answer(200, page, {}) if r.call == call else None)
    account = collect(session)
    assert account.not_evaluated == ("scps",)
    assert [failure.where for failure in account.failures] == [call]
    assert account.failures[0].message.isprintable()
    assert len(waits) in (0, 7)
