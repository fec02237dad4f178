"""Policies of SES identities beside a role's own, and roles decided from memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from auditor.account import PolicyText
from auditor.engine.decide import decide
from auditor.engine.layers import IdentityPolicies, Layer, Placed
from auditor.engine.memory import Memory
from auditor.engine.powers import Powers
from auditor.policy.parse import parse
from tests.engine.cases import ACCOUNT, Case, Json, allow, deny, document, identity

if TYPE_CHECKING:
    from auditor.engine.decision import Decision

ARN = f"arn:aws:ses:eu-west-1:{ACCOUNT}:identity/example.com"
TEMPLATES = "arn:aws:ses:*:*:template/*"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/build"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/build/night"
OTHER_ROLE = f"arn:aws:iam::{ACCOUNT}:role/other"


def of_identity(principal: object, statement: Json, name: str = "example.com") -> IdentityPolicies:
    arn = f"arn:aws:ses:eu-west-1:{ACCOUNT}:identity/{name}"
    opened = document({**statement, "Resource": arn, "Principal": principal})
    source = PolicyText("own", None, "identity-policy", opened)
    placed = Placed(source, parse(opened, attached=True))
    return IdentityPolicies(arn, "eu-west-1", f"identity/{name}", (placed,))


def decided(case: Case, *identities: IdentityPolicies) -> Decision:
    return decide(case.caller, case.layers, identities)


def actions(found: Decision) -> dict[str, str]:
    return {exposure.action.name: exposure.certainty for exposure in found.exposures}


@pytest.mark.parametrize(
    ("action", "covered"),
    [
        ("ses:SendEmail", True),
        ("ses:SendRawEmail", True),
        ("ses:SendTemplatedEmail", True),
        ("ses:SendBulkTemplatedEmail", True),
        ("ses:SendCustomVerificationEmail", False),
        ("ses:SendBulkEmail", False),
    ],
)
def test_sending_authorization_covers_four_actions(action: str, covered: bool) -> None:
    """https://docs.aws.amazon.com/ses/latest/dg/sending-authorization.html"""
    templates = identity(allow(action, TEMPLATES))
    found = decided(templates, of_identity({"AWS": ROLE}, allow(action)))
    assert (actions(found).get(action) == "proven") == covered
    assert found.reason is None


def test_another_account_s_identity_has_that_account_s_number() -> None:
    """What this account's identity refuses another's may allow: its ARN is a whole one."""
    case = identity(allow("ses:SendEmail", ARN.replace(ACCOUNT, "*")))
    found = decided(case, of_identity({"AWS": "*"}, deny("ses:SendEmail")))
    assert actions(found) == {"ses:SendEmail": "possible"}
    account = found.exposures[0].request.resources[0].split(":")[4]
    assert account != ACCOUNT
    assert len(account) == 12
    assert account.isdigit()


def test_a_deny_of_one_session_leaves_the_others() -> None:
    """Which session a build gets isn't known: the other sessions make the exposure possible."""
    case = identity(allow("ses:SendEmail", ARN))
    found = decided(case, of_identity({"AWS": SESSION}, deny("ses:SendEmail")))
    assert actions(found) == {"ses:SendEmail": "possible"}
    assert found.notes == ()


@pytest.mark.parametrize(
    ("refused", "left"),
    [
        ("ses:SendEmail", "ses:SendRawEmail"),
        ("ses:SendRawEmail", "ses:SendEmail"),
        ("ses:SendTemplatedEmail", "ses:SendBulkTemplatedEmail"),
        ("ses:SendBulkTemplatedEmail", "ses:SendTemplatedEmail"),
    ],
)
def test_an_identity_s_deny_of_one_action_says_nothing_of_another(refused: str, left: str) -> None:
    """Two actions are one question only where the same statements apply to both."""
    case = identity(allow([refused, left], [ARN, TEMPLATES]))
    assert actions(decided(case))[refused] == "proven"
    found = actions(decided(case, of_identity("*", deny(refused))))
    assert found[left] == "proven"
    assert found.get(refused) != "proven"


@pytest.mark.parametrize("at", range(4))
def test_the_policies_of_several_identities_are_told_apart(at: int) -> None:
    """Each of four identities refuses an action of its own, and no other of them does."""
    sends = [
        "ses:SendEmail",
        "ses:SendRawEmail",
        "ses:SendTemplatedEmail",
        "ses:SendBulkTemplatedEmail",
    ]
    names = [f"{letter}.example.com" for letter in "abcd"]
    opened = [of_identity("*", deny(send), name) for send, name in zip(sends, names, strict=True)]
    found = actions(decided(identity(allow(sends, [opened[at].arn, TEMPLATES])), *opened))
    proven = {send for send, certainty in found.items() if certainty == "proven"}
    assert proven == {send for send in sends if send != sends[at]}


def test_an_action_that_lists_fewer_resource_types_is_asked_by_itself() -> None:
    """Templates are listed for SendEmail, not for SendRawEmail: allowed there, one is possible."""
    case = identity(allow(["ses:SendEmail", "ses:SendRawEmail"], TEMPLATES))
    assert actions(case.decide()) == {"ses:SendEmail": "possible"}


def test_a_pair_that_goes_together_is_shown_where_there_is_one() -> None:
    """Possible through either Allow; the one whose sender is of its identity reads best."""
    reached = {"ses:Recipients": "*@example.com"}
    here, there = ARN.replace("example.com", "b.example.net"), ARN
    case = identity(
        allow("ses:SendEmail", here, StringLike={**reached, "ses:FromAddress": "*@a.example.org"}),
        allow("ses:SendEmail", there, StringLike={**reached, "ses:FromAddress": "*@*example.com"}),
    )
    (exposure,) = case.decide().exposures
    assert exposure.certainty == "possible"
    assert exposure.request.resources == (ARN,)
    assert str(exposure.request.context["ses:FromAddress"]).endswith("example.com")


def test_each_resource_of_a_witness_is_of_its_own_type() -> None:
    """The tie of sender and identity gives the identity's name, not the template's."""
    sender = {"ses:FromAddress": "*@example.org"}
    found = identity(allow("ses:SendTemplatedEmail", StringLike=sender)).decide()
    (exposure,) = found.exposures
    kinds = [arn.split(":", 5)[5].partition("/")[0] for arn in exposure.request.resources]
    assert kinds == ["identity", "template"]


def test_memory_decides_as_deciding_does() -> None:
    """Roles of several Allows may be put together from what each decides: with the same answer."""
    for case in (
        identity(allow("ses:SendEmail"), allow("ses:SendRawEmail")),
        identity(allow("ses:SendBulkEmail"), allow("ses:SendBulkEmail", "arn:aws:ses:*:*:*")),
        identity(allow("ses:*"), allow("logs:*"), allow("ses:SendBounce")),
        identity(allow("ses:SendEmail"), allow("ses:SendBulkEmail")),
    ):
        found, plain = Memory().decide(case.caller, case.layers), case.decide()
        assert (found.verdict, found.certainty) == (plain.verdict, plain.certainty)
        assert actions(found) == actions(plain)
        assert (found.bounce is None) == (plain.bounce is None)


def test_one_identity_s_unread_policies_are_enough_to_leave_a_role_open() -> None:
    """A role with nothing of its own could be granted by what couldn't be read."""
    case = Case(())
    fine = of_identity({"AWS": OTHER_ROLE}, allow("ses:SendEmail"))
    unread = IdentityPolicies("arn", "eu-west-1", "identity/b.example.com", (), ("not read",))
    assert Memory([fine]).decide(case.caller, case.layers).verdict == "no_send"
    found = Memory([fine, unread]).decide(case.caller, case.layers)
    assert (found.verdict, found.reason) == ("undetermined", "not read")


def powers(*statements: Json, unread: str = "", boundary: Layer | None = None) -> Powers:
    case = Case(())
    source = PolicyText("own", None, "inline", None)
    placed = Placed(source, parse(document(*statements), every=True))
    layer = Layer("identity", (placed,), (unread,) if unread else ())
    return Powers(case.caller, (layer, boundary) if boundary else (layer,))


def called(made: Powers) -> str | None:
    found = made.call("iam:PassRole", OTHER_ROLE)
    assert found is None or found.allows
    return None if found is None else found.certainty


def test_what_could_not_be_read_makes_a_call_possible_at_most() -> None:
    """A role's own policies, or its boundary: what wasn't read may deny, or not allow."""
    anything = allow("iam:PassRole")
    assert called(powers(anything)) == "proven"
    assert called(powers(anything, unread="not read")) == "possible"
    limit = Layer("permissions-boundary", (), ("not read",))
    assert called(powers(anything, boundary=limit)) == "possible"
    assert called(powers(boundary=limit)) is None


def test_a_conditional_deny_of_a_call_must_be_got_round() -> None:
    """Where the Allow asks for what the Deny forbids, there is no such call."""
    where = {"aws:SourceVpc": "vpc-1"}
    assert called(powers(allow("iam:*", StringEquals=where))) == "proven"
    closed = powers(allow("iam:*", StringEquals=where), deny("iam:*", StringEquals=where))
    assert called(closed) is None
    assert called(powers(allow("iam:*"), deny("iam:*", StringEquals=where))) == "proven"
