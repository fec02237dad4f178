"""One role read anew is the role that the sweep of the whole account gives."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from auditor.collect.iam import sweep_roles
from auditor.collect.single import RoleReader, attached_quota, read_managed, read_role
from auditor.errors import CollectError
from auditor.remediate.fingerprint import fingerprint
from tests.collect.wire import Request, Wire, answer, refuse
from tests.remediate.apply_world import ACCOUNT, World, allow, world

if TYPE_CHECKING:
    from collections.abc import Iterator

    from botocore.awsrequest import AWSResponse

    from auditor.account import PolicyText, Role

READ_ONLY = "arn:aws:iam::aws:policy/ReadOnlyAccess"


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    with world(monkeypatch) as made:
        yield made


@pytest.fixture
def wire(aws: World) -> Wire:
    wire = Wire()
    wire.attach(aws.session)
    aws.iam = aws.session.client("iam")
    return wire


def shape(role: Role) -> tuple[object, ...]:
    def text(one: PolicyText) -> tuple[object, ...]:
        return one.name, one.arn, one.kind, one.document, one.missing

    return (
        role.arn,
        role.name,
        role.role_id,
        dict(role.tags),
        text(role.trust),
        sorted(map(text, role.inline), key=str),
        sorted(map(text, role.attached), key=str),
        role.boundary and text(role.boundary),
    )


def test_the_same_as_the_sweep(monkeypatch: pytest.MonkeyPatch) -> None:
    """Inline, managed (an old version in force), AWS's own, boundary, tags, path: all are equal."""
    with world(monkeypatch, aws_managed=True) as aws:
        aws.role("bare")
        aws.role("inline", "ses:*")
        aws.iam.put_role_policy(RoleName="inline", PolicyName="a+b", PolicyDocument=allow("s3:*"))
        edge, send = aws.policy("edge", "ses:*"), aws.policy("send", "ses:SendEmail")
        aws.iam.create_policy_version(
            PolicyArn=send, PolicyDocument=allow("ses:SendRawEmail"), SetAsDefault=False
        )
        aws.role(
            "full",
            "ses:SendEmail",
            Path="/ci/build/",
            PermissionsBoundary=edge,
            Tags=[{"Key": "Team", "Value": "Größe"}, {"Key": "b", "Value": ""}],
        )
        for arn in (READ_ONLY, send, edge):
            aws.iam.attach_role_policy(RoleName="full", PolicyArn=arn)
        swept = sweep_roles(aws.iam, aws.said.append).roles
        reader = RoleReader(aws.iam)
        assert sorted(role.name for role in swept) == ["bare", "full", "inline"]
        for role in swept:
            read = reader.role(role.name)
            assert read is not None
            assert shape(read) == shape(role)
            assert fingerprint(read) == fingerprint(role)


@pytest.mark.parametrize("change", ["inline", "attached", "version", "boundary", "tag", "trust"])
def test_each_change_is_seen(aws: World, change: str) -> None:
    """Whatever of a role changes, the same reader sees it, and the fingerprint differs."""
    send = aws.policy("send", "ses:SendEmail")
    aws.role("web", "ses:SendEmail")
    aws.iam.attach_role_policy(RoleName="web", PolicyArn=send)
    reader = RoleReader(aws.iam)
    before = reader.role("web")
    again = reader.role("web")
    assert before is not None
    assert again is not None
    assert fingerprint(before) == fingerprint(again)
    if change == "inline":
        aws.iam.put_role_policy(RoleName="web", PolicyName="mail", PolicyDocument=allow("s3:*"))
    elif change == "attached":
        aws.iam.detach_role_policy(RoleName="web", PolicyArn=send)
    elif change == "version":
        aws.iam.create_policy_version(
            PolicyArn=send, PolicyDocument=allow("s3:*"), SetAsDefault=True
        )
    elif change == "boundary":
        aws.iam.put_role_permissions_boundary(RoleName="web", PermissionsBoundary=send)
    elif change == "tag":
        aws.iam.tag_role(RoleName="web", Tags=[{"Key": "a", "Value": "b"}])
    else:
        trust = json.loads(allow("sts:AssumeRole"))
        trust["Statement"][0] |= {"Principal": {"AWS": ACCOUNT}}
        del trust["Statement"][0]["Resource"]
        aws.iam.update_assume_role_policy(RoleName="web", PolicyDocument=json.dumps(trust))
    after = reader.role("web")
    assert after is not None
    assert fingerprint(after) != fingerprint(before)


def test_a_policy_made_anew_is_read_anew(aws: World) -> None:
    """A policy deleted and made under its old name has a version v1 again, and is another."""
    arn = aws.policy("send", "ses:SendEmail")
    reader = RoleReader(aws.iam)
    first = reader.managed(arn)
    aws.iam.delete_policy(PolicyArn=arn)
    assert reader.managed(arn) is None
    assert aws.policy("send", "s3:*") == arn
    second = reader.managed(arn)
    assert first is not None
    assert second is not None
    assert (first.document, second.document) == (
        json.loads(allow("ses:SendEmail")),
        json.loads(allow("s3:*")),
    )


def test_nothing_there(aws: World) -> None:
    """No such role, and no such policy, are None rather than errors."""
    arn = aws.policy("send", "ses:SendEmail")
    assert read_role(aws.session, "nobody") is None
    assert read_managed(aws.session, f"{arn}s") is None
    found = read_managed(aws.session, arn)
    assert found is not None
    assert (found.name, found.kind) == ("send", "managed")


@pytest.mark.parametrize("call", ["iam:GetRolePolicy", "iam:GetPolicy", "iam:GetPolicyVersion"])
def test_a_policy_that_goes_meanwhile(aws: World, wire: Wire, call: str) -> None:
    """A policy that is gone between being listed and being read has the role read once more."""
    aws.role("web", "ses:SendEmail")
    aws.iam.attach_role_policy(RoleName="web", PolicyArn=aws.policy("send", "ses:SendEmail"))
    gone = refuse("NoSuchEntity", status=404)
    wire.on(call, lambda request: gone(request) if wire.tries(call) == 1 else None)
    role = RoleReader(aws.iam).role("web")
    assert role is not None
    assert [(text.name, text.missing) for text in role.inline] == [("mail", None)]
    assert [(text.name, text.missing) for text in role.attached] == [("send", None)]
    assert wire.tries("iam:GetRole") == 2


def test_policies_that_never_stay(aws: World, wire: Wire) -> None:
    """A role that can't be read whole is no role: one line says so."""
    aws.role("web", "ses:SendEmail")
    wire.on("iam:GetRolePolicy", refuse("NoSuchEntity", status=404))
    with pytest.raises(CollectError, match=r"^role web: its policies change while"):
        RoleReader(aws.iam).role("web")


def test_a_boundary_without_a_policy(aws: World, wire: Wire) -> None:
    """A managed policy that the role names and AWS doesn't know is missing, not left out."""
    aws.role("web", "ses:SendEmail", PermissionsBoundary=aws.policy("edge", "ses:*"))
    wire.on("iam:GetPolicy", refuse("NoSuchEntity", status=404))
    role = RoleReader(aws.iam).role("web")
    assert role is not None
    assert role.boundary is not None
    assert (
        role.boundary.missing == "AWS lists it on the role, and says that there is no such policy"
    )


@pytest.mark.parametrize(
    "call",
    [
        "GetRole",
        "ListRolePolicies",
        "GetRolePolicy",
        "ListAttachedRolePolicies",
        "GetPolicy",
        "GetPolicyVersion",
    ],
)
def test_a_refused_call(aws: World, wire: Wire, call: str) -> None:
    """A role is read whole or not at all: the one line names the call, AWS's error is its cause."""
    aws.role("web", "ses:SendEmail")
    aws.iam.attach_role_policy(RoleName="web", PolicyArn=aws.policy("send", "ses:SendEmail"))
    wire.on(f"iam:{call}", refuse("AccessDenied", "not\nyou", 403))
    with pytest.raises(CollectError) as caught:
        RoleReader(aws.iam).role("web")
    assert str(caught.value).startswith(f"iam:{call} ")
    assert str(caught.value).endswith(": AccessDenied: not you")
    assert type(caught.value.__cause__).__name__ == "ClientError"


@pytest.mark.parametrize("call", ["GetRole", "ListRolePolicies", "GetPolicy", "GetPolicyVersion"])
def test_an_answer_that_isnt_iams(aws: World, wire: Wire, call: str) -> None:
    """A proxy's page in the answer's place is never read as a role without policies."""
    aws.role("web", "ses:SendEmail")
    aws.iam.attach_role_policy(RoleName="web", PolicyArn=aws.policy("send", "ses:SendEmail"))

    def page(_: Request) -> AWSResponse:
        return answer(200, "<html><body>sign in</body></html>", {"content-type": "text/html"})

    wire.on(f"iam:{call}", page)
    reader = RoleReader(aws.iam)
    with pytest.raises(CollectError, match=f"^iam:{call} "):
        reader.role("web")


def test_the_quota(aws: World, wire: Wire) -> None:
    """The account's own quota of managed policies on a role; None where AWS doesn't tell it."""
    assert attached_quota(aws.session) == 10
    wire.on("iam:GetAccountSummary", refuse("AccessDenied", "no", 403))
    assert RoleReader(aws.iam).attached_quota() is None
