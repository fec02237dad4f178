"""What it takes to prove that AWS refuses mail outside."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from auditor.account import Account, Identity, PolicyText, SesRegion
from auditor.corrective.documents import guard, sender
from auditor.smoke.refused import NotProven, Place, Proof, prove, with_identities
from auditor.smoke.result import Caller
from auditor.smoke.scenarios import OUTSIDE
from tests.explain.world import ACCOUNT, OPEN, document, role

NOW = datetime(2026, 11, 23, 3, tzinfo=UTC)
CALLER = Caller(ACCOUNT, "aws", "build", f"arn:aws:sts::{ACCOUNT}:assumed-role/build/session")
PLACE = Place(CALLER, "eu-west-1", "ci@mail.example.org")
ARN = f"arn:aws:ses:eu-west-1:{ACCOUNT}:identity/"
GRANT = document(
    {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:role/build"},
     "Action": "ses:SendEmail", "Resource": f"{ARN}example.org"}
)  # fmt: skip
DENY = {"Effect": "Deny", "Action": "*", "Resource": "*"}
ODD = {"Effect": "Allow", "Action": "ses:*", "Resource": "*",
       "Condition": {"StringLikes": {"ses:Recipients": "*"}}}  # fmt: skip


def world(*statements: object, identity: object = None, **others: Any) -> Account:
    """An account whose role has these statements, with all identities looked at."""
    policies = () if identity is None else (
        PolicyText("sharing", None, "identity-policy", identity),
    )  # fmt: skip
    identities = (Identity("example.org", f"{ARN}example.org", True, policies),)
    region = SesRegion("eu-west-1", True, True, identities)
    found = role(*statements, **others)
    return Account(ACCOUNT, "aws", (found,), ("scps",), ses=(region,))


@pytest.mark.parametrize(
    ("account", "proven"),
    [
        pytest.param(world(DENY), True, id="everything denied"),
        pytest.param(world(), True, id="nothing allowed"),
        pytest.param(world(sender=sender()), True, id="the sender alone"),
        pytest.param(world(OPEN, guard=guard()), True, id="open, with the guard"),
        pytest.param(world(DENY, identity=GRANT), True, id="an identity's grant, denied"),
        pytest.param(world(OPEN), False, id="open"),
        pytest.param(world(sender=sender(), identity=GRANT), False, id="an identity's grant"),
        pytest.param(
            world({**OPEN, "Condition": {"StringLike": {"ses:Recipients": "*@example.net"}}}),
            False,
            id="only possibly open",
        ),
        pytest.param(world(ODD), False, id="a document that IAM wouldn't accept"),
        pytest.param(world(sender=sender(), identity="{"), False, id="an identity's odd policy"),
        pytest.param(
            replace(world(DENY), not_evaluated=("identity-policies",)), False, id="not looked at"
        ),
        pytest.param(replace(world(DENY), account_id="210987654321"), False, id="another account"),
        pytest.param(replace(world(DENY), roles=()), False, id="no such role"),
    ],
)
def test_only_a_closed_role_is_a_proof(account: Account, proven: bool) -> None:
    """Proven is a role that can't mail outside whatever is left open; anything else isn't."""
    found = prove(account, PLACE, NOW)
    assert isinstance(found, Proof if proven else NotProven)
    if isinstance(found, Proof):
        assert found.denies(PLACE.sender, OUTSIDE, "v2")
        assert not found.denies("other@example.com", OUTSIDE, "v2")


@pytest.mark.parametrize(
    ("account", "open_"), [(world(OPEN), True), (world(ODD), False), (world(DENY), None)]
)
def test_an_open_role_is_told_from_an_unknown_one(account: Account, open_: bool | None) -> None:
    """Of a role that can mail real people the reason says so: that is more than not knowing."""
    found = prove(account, PLACE, NOW)
    assert (found.open if isinstance(found, NotProven) else None) == open_


def test_a_person_proves_nothing() -> None:
    """Credentials that aren't a role's have no role's policies."""
    found = prove(world(DENY), PLACE._replace(caller=CALLER._replace(role=None)), NOW)
    assert isinstance(found, NotProven)


class Identities:
    """SES v2 as far as it is asked: some identities' policies, and errors for others."""

    def __init__(self, **answers: Any) -> None:
        self.answers = answers
        self.asked: list[str] = []

    def get_email_identity_policies(self, **arguments: str) -> Any:
        name = arguments["EmailIdentity"]
        self.asked.append(name)
        answer = self.answers.get(name.replace(".", "_").replace("@", "_at_"), "NotFoundException")
        if isinstance(answer, str):
            error = {"Error": {"Code": answer, "Message": "no"}}
            raise ClientError(error, "GetEmailIdentityPolicies")  # type: ignore[arg-type]  # no more is read of it
        return answer


CLOSED = Account(ACCOUNT, "aws", (role(sender=sender()),), ("scps", "identity-policies"))


@pytest.mark.parametrize(
    ("answers", "proven"),
    [
        ({}, True),
        ({"example_org": {"Policies": {}}}, True),
        ({"example_org": {"Policies": {"sharing": GRANT}}}, False),
        ({"mail_example_org": "AccessDeniedException"}, False),
        ({"ci_at_mail_example_org": {"odd": 1}}, False),
        ({"mail_example_org": None}, False),
    ],
)
def test_identities_that_may_be_checked_are_looked_at(answers: Any, proven: bool) -> None:
    """The sender's address, domain and parents are asked for; what can't be read may open."""
    ses = Identities(**answers)
    found = prove(with_identities(CLOSED, ses, PLACE), PLACE, NOW)
    assert ses.asked == ["ci@mail.example.org", "mail.example.org", "example.org"]
    assert isinstance(found, Proof) == proven


@pytest.mark.parametrize(
    ("policies", "proven"),
    [([document(OPEN), guard()], True), ([document(OPEN)], False), ([sender()], False)],
)
def test_a_deny_holds_whatever_an_identity_grants(policies: list[Any], proven: bool) -> None:
    """Where an identity's policies can't be read, only a role that denies outright is proven."""
    found = role(**{f"policy{number}": one for number, one in enumerate(policies)})
    account = replace(CLOSED, roles=(found,))
    ses = Identities(example_org="AccessDeniedException")
    answer = prove(with_identities(account, ses, PLACE), PLACE, NOW)
    assert isinstance(answer, Proof) == proven
