"""Faults that were found and mended, each with the document that showed it."""

from __future__ import annotations

import string
import sys
from datetime import UTC, datetime

import pytest

from auditor.account import Account
from auditor.audit import audit
from auditor.domains import ANYTHING, is_mailbox
from auditor.errors import PolicyError
from auditor.globs import exactly, like
from auditor.languages import find
from auditor.policy.parse import parse
from tests.engine.cases import ACCOUNT, NOW, allow, deny, document, identity, verdict
from tests.test_audit import CLOSED, OPEN, role, run

TO = "ses:Recipients"
SEND = "ses:SendEmail"


# ---- wrong safe ---------------------------------------------------------------------------------


def test_two_entries_of_one_arn_are_judged_apart() -> None:
    report = run(role("x", CLOSED), role("x", OPEN))
    assert sorted(one.verdict for one in report.roles) != ["no_send", "no_send"]


def test_a_variable_before_the_service_keeps_its_statement() -> None:
    arn = "arn:${aws:PrincipalTag/p}:ses:*:*:identity/*"
    assert verdict(identity(allow(SEND, arn), tags=(("p", "aws"),))) == "exposed proven"


def test_a_star_at_a_segments_end_may_cross_colons() -> None:
    # AWS, "Resource": "If the * wildcard is the last character of a resource ARN segment, it can
    # expand to match beyond the colon boundaries"
    assert (
        verdict(identity(allow(SEND, "arn:aws:ses:*:identity/example.com"))) == "exposed possible"
    )


def test_an_alphabet_all_mentioned_leaves_other_characters() -> None:
    mentioned = frozenset(exactly(char) for char in string.ascii_letters + string.digits + "-/")
    assert find(ANYTHING, (frozenset((like("?"),)),), mentioned).value is not None


def test_an_alphabet_all_mentioned_in_a_policy() -> None:
    chars = list(string.ascii_letters + string.digits + "-/")
    case = identity(
        allow(SEND, StringLike={"aws:UserAgent": "?"}, StringNotEquals={"aws:UserAgent": chars})
    )
    assert verdict(case) == "exposed proven"


# ---- wrong proven -------------------------------------------------------------------------------


def test_a_deny_with_a_variable_before_the_service_counts() -> None:
    arn = "arn:${aws:PrincipalTag/p}:ses:*:*:*"
    case = identity(allow("ses:*"), deny("ses:*", arn), tags=(("p", "aws"),))
    assert verdict(case) == "no_send"


def test_a_deny_whose_star_may_cross_colons_leaves_nothing_proven() -> None:
    arns = [
        "arn:aws:ses:*:identity/*",
        "arn:aws:ses:*:template/*",
        "arn:aws:ses:*:custom-verification-email-template/*",
    ]
    assert verdict(identity(allow("ses:*"), deny("ses:*", arns))) == "exposed possible"


def test_a_from_address_of_a_pair_is_a_valid_mailbox() -> None:
    case = identity(
        allow(
            SEND,
            "arn:aws:ses:*:*:identity/b.com",
            StringLike={"ses:FromAddress": ["x@ok.com", f"*@{'a' * 70}.b.com"]},
        )
    )
    found = case.decide()
    for exposure in found.exposures:
        if exposure.certainty == "proven":
            assert is_mailbox(str(exposure.request.context["ses:FromAddress"]))


def test_names_of_templates_have_no_colon() -> None:
    arn = "arn:aws:ses:*:*:custom-verification-email-template/a:b*"
    assert verdict(identity(allow("ses:SendCustomVerificationEmail", arn))) == "no_send"


def test_a_not_resource_of_seven_parts_excludes_nothing() -> None:
    denied: dict[str, object] = {
        "Effect": "Deny",
        "Action": "ses:*",
        "NotResource": "arn:aws:ses:*:*:*:*",
    }
    assert verdict(identity(allow("ses:*"), denied)) == "no_send"


# ---- crashes ------------------------------------------------------------------------------------


def test_no_stop_iteration_from_a_pair() -> None:
    case = identity(
        allow(
            SEND,
            "arn:aws:ses:*:*:identity/b.com",
            StringLike={"ses:FromAddress": ["x@ok.com", f"*@c.{'a' * 70}.b.com"]},
        )
    )
    assert case.decide().verdict


@pytest.mark.parametrize("text", ["9" * 30, "9" * 39, "-" + "9" * 39])
def test_dates_far_beyond_the_calendar(text: str) -> None:
    assert identity(allow(SEND, DateLessThan={"aws:CurrentTime": text})).decide().verdict
    assert identity(allow(SEND, DateLessThan={"aws:TokenIssueTime": text})).decide().verdict


@pytest.mark.parametrize("place", ["Effect", "Version"])
def test_deep_nesting_in_an_error_message(place: str) -> None:
    deep: object = {}
    for _ in range(sys.getrecursionlimit() - 10):
        deep = [deep]
    statement: dict[str, object] = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    made: dict[str, object] = {"Version": "2012-10-17", "Statement": statement}
    (made if place == "Version" else statement)[place] = deep
    with pytest.raises(PolicyError):
        parse(made)


def test_an_integer_of_many_digits() -> None:
    with pytest.raises(PolicyError):
        parse(document(allow(SEND, NumericLessThan={"aws:x": 10**5000})))


# ---- needless undetermined, unclear, inconsistent -----------------------------------------------


def test_a_byte_order_mark_is_no_obstacle() -> None:
    assert parse('\ufeff{"Version": "2012-10-17", "Statement": []}').statements == ()


@pytest.mark.parametrize("odd", [[], None, "x", 3])
def test_other_services_conditions_of_odd_shape(odd: object) -> None:
    """What can't touch a send can't make a role undetermined, however odd its conditions."""
    other = {"Effect": "Allow", "Action": "s3:*", "Resource": "*", "Condition": odd}
    assert verdict(identity(other)) == "no_send"


def test_json_has_no_nan() -> None:
    """A number that is none is refused, not compared."""
    condition = '{"NumericEquals": {"aws:x": NaN}}'
    statement = f'{{"Effect":"Allow","Action":"ses:*","Resource":"*","Condition":{condition}}}'
    with pytest.raises(PolicyError):
        parse(f'{{"Version":"2012-10-17","Statement":{statement}}}')


def test_folding_agrees_between_matching_and_searching() -> None:
    for text, pattern in (("\u017f", "S*"), ("kx", "\u212a*")):
        folded = exactly(text, fold=True)
        found = find(
            ANYTHING, (frozenset((folded,)), frozenset((like(pattern),))), frozenset()
        ).value
        expected = folded.matches(pattern[0] + text[1:])
        assert (found is not None) == expected
        assert found is None or folded.matches(found)


def test_a_report_does_not_hang_on_the_order_of_roles() -> None:
    roles = [role(name, OPEN) for name in ("web", "api", "Zoo", "path/api")]
    assert run(*roles) == run(*roles[::-1])


HARD = {
    "letters denied one by one": [
        allow(),
        *(deny(ForAnyValue__StringLike={TO: f"*{char}*"}) for char in string.ascii_lowercase),
    ],
    "some and each": [
        allow(),
        *(
            deny(
                ForAnyValue__StringLike={TO: f"*{char}*"},
                ForAllValues__StringLike={TO: f"*{char}*{char}*"},
            )
            for char in string.ascii_lowercase
        ),
    ],
    "covering long patterns": [
        allow(ForAllValues__StringLike={TO: ["*" + "?a" * 1200 + f"*{i}" for i in range(2)]}),
        deny(ForAnyValue__StringLike={TO: ["*a" * 1200 + f"*b{i}" for i in range(2)]}),
    ],
    "many denies on one key": [
        allow(),
        *(deny(ForAnyValue__StringLike={TO: f"*u{i}@*"}) for i in range(2000)),
    ],
    "many addresses": [
        allow(IpAddress={"aws:SourceIp": "10.0.0.0/8"}),
        *(deny(IpAddress={"aws:SourceIp": f"10.{i // 256}.{i % 256}.0/24"}) for i in range(2000)),
    ],
    "question marks": [
        allow(StringLike={"aws:UserAgent": "?" * 4000}),
        deny(StringLike={"aws:UserAgent": "*a" + "?" * 4000}),
    ],
}


@pytest.mark.parametrize("name", HARD)
def test_hard_documents_are_decided_or_named(name: str) -> None:
    """Documents that once ran for minutes end within the role's budget, whatever the answer."""
    account = Account(ACCOUNT, "aws", [identity(*HARD[name]).role()])
    (report,) = audit(account, now=datetime.fromtimestamp(NOW, UTC)).roles
    assert (report.reason is None) == (report.verdict != "undetermined")
    assert report.verdict in ("exposed", "undetermined")
