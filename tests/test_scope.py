"""Which roles are audited: every shape of trust policy, and what can't be read."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.account import PolicyText, Project, Role
from auditor.errors import PolicyError
from auditor.scope import in_scope, trusts_codebuild

CODEBUILD = {"Service": "codebuild.amazonaws.com"}
ASSUME = "sts:AssumeRole"


def trust(**fields: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Principal": CODEBUILD, "Action": ASSUME, **fields}


def role(document: object, *, path: str = "/", projects: tuple[Project, ...] = ()) -> Role:
    return Role(
        arn=f"arn:aws:iam::123456789012:role{path}build",
        name="build",
        role_id="AROAEXAMPLE",
        tags={},
        trust=PolicyText("trust", None, "trust", document),
        inline=(),
        attached=(),
        projects=projects,
    )


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        (trust(), True),
        ([trust()], True),
        ([], False),
        (trust(Action=[ASSUME, "sts:TagSession"]), True),
        (trust(Action="sts:*"), True),
        (trust(Action="*"), True),
        (trust(Action="STS:assumerole"), True),
        (trust(Action="sts:TagSession"), False),
        (trust(Action=[]), False),
        (trust(Principal={"Service": ["lambda.amazonaws.com", "codebuild.amazonaws.com"]}), True),
        (trust(Principal={"Service": "codebuild.amazonaws.com.cn"}), True),
        (trust(Principal={"Service": "codebuild.eu-west-1.amazonaws.com"}), True),
        (trust(Principal={"Service": "lambda.amazonaws.com"}), False),
        (trust(Principal={"Service": "notcodebuild.amazonaws.com"}), False),
        (trust(Principal={"AWS": "*"}), False),
        (trust(Principal={"AWS": "arn:aws:iam::123456789012:root"}), False),
        (trust(Principal={"Federated": "codebuild.amazonaws.com"}), False),
        (trust(Principal={"AWS": "x", "Service": "codebuild.amazonaws.com"}), True),
        (trust(Principal="*"), True),
        (trust(Principal={}), False),
        (trust(Condition={"StringEquals": {"aws:SourceAccount": "1"}}), True),
        ([trust(Principal={"Service": "ec2.amazonaws.com"}), trust()], True),
        ([trust(), trust(Effect="Deny")], False),
        ([trust(Effect="Deny"), trust()], False),
        ([trust(), trust(Effect="Deny", Condition={"Bool": {"aws:x": "true"}})], True),
        ([trust(), trust(Effect="Deny", Principal={"AWS": "*"})], True),
        ([trust(), trust(Effect="Deny", Action="sts:TagSession")], True),
        ([trust(Effect="Deny")], False),
    ],
)
def test_trust_policies(statements: object, expected: bool) -> None:
    """A role is CodeBuild's where CodeBuild may assume it, in whatever words.

    https://docs.aws.amazon.com/codebuild/latest/userguide/setting-up-service-role.html
    """
    document = {"Version": "2012-10-17", "Statement": statements}
    for form in (document, json.dumps(document), quote(json.dumps(document))):
        assert trusts_codebuild(form) is expected
        assert in_scope(role(form)) is expected


def test_not_elements_are_complements() -> None:
    """``NotAction`` and ``NotPrincipal`` hold for what they don't name."""
    entry = trust(NotAction="sts:TagSession")
    del entry["Action"]
    assert trusts_codebuild({"Statement": entry})
    entry["NotAction"] = "sts:*"
    assert not trusts_codebuild({"Statement": entry})
    entry = trust(NotPrincipal={"Service": "lambda.amazonaws.com"})
    del entry["Principal"]
    assert trusts_codebuild({"Statement": entry})
    entry["NotPrincipal"] = CODEBUILD
    assert not trusts_codebuild({"Statement": entry})


@pytest.mark.parametrize(
    "document",
    [None, "", "{", 7, [], {}, {"Statement": None}, {"Statement": ["x"]}, {"Statement": [{}]},
     {"Statement": [{"Effect": "allow"}]}],
)  # fmt: skip
def test_a_trust_policy_that_cannot_be_read_counts_as_codebuilds(document: object) -> None:
    """Leaving out a role because its trust policy is odd would be a guess."""
    assert in_scope(role(document))


def test_a_projects_role_is_in_scope_whoever_may_assume_it() -> None:
    """The role of a CodeBuild project is audited even where its trust policy names others."""
    lambdas = {"Statement": trust(Principal={"Service": "lambda.amazonaws.com"})}
    project = Project("web", "eu-west-1", "arn:aws:codebuild:eu-west-1:123456789012:project/web")
    assert not in_scope(role(lambdas))
    assert in_scope(role(lambdas, projects=(project,)))


def test_service_linked_roles_are_left_out() -> None:
    """Their policies are AWS's own: nobody can change them."""
    path = "/aws-service-role/codebuild.amazonaws.com/"
    assert not in_scope(role({"Statement": trust()}, path=path))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=6) | st.just("sts:AssumeRole"),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(("Statement", "Effect", "Principal", "Service", "Action", "x")),
            inner,
            max_size=4,
        )
    ),
    max_leaves=10,
)


@settings(deadline=None, max_examples=300)
@given(JSON)
def test_any_trust_policy_is_told_or_refused(document: object) -> None:
    """Whatever JSON stands there, the answer is yes or no, or ``PolicyError``."""
    try:
        found = trusts_codebuild(document)
    except PolicyError:
        found = True
    assert in_scope(role(document)) is found
