"""More documents made to hang, to crash or to pass for safe, each a kind of its own.

Nothing here is timed: what is decided has its plain meaning, what isn't says which budget ran out.
"""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from auditor.account import Account, Organization, PolicyText, ScpLevel
from auditor.audit import audit
from auditor.automata import SEARCH_BUDGET
from auditor.engine import constraints
from auditor.engine.decide import decide
from auditor.engine.layers import IdentityPolicies
from auditor.engine.memory import Memory
from auditor.engine.prepared import FEW, check
from auditor.policy.operators import OPERATORS, read
from tests.engine.cases import (
    ACCOUNT,
    NOW,
    SIMULATOR,
    Case,
    Json,
    allow,
    deny,
    document,
    identity,
    verdict,
)

TO = "ses:Recipients"
FROM = "ses:FromAddress"
SEND = "ses:SendEmail"
SENDS = ("SendEmail", "SendRawEmail", "SendTemplatedEmail", "SendBulkTemplatedEmail")
DEFAULTS = "${aws:PrincipalTag/a, '${aws:x, '*'}'}"
CLOSED: Json = {"ForAllValues:StringLike": {TO: SIMULATOR}, "Null": {TO: "false"}}


def moments(start: int, count: int) -> list[str]:
    return [str(NOW + start + at) for at in range(count)]


def letters(seed: int) -> list[str]:
    """Return eight patterns of two letters some characters apart."""
    first = (chr(97 + (seed * 7 + at) % 26) for at in range(8))
    last = (chr(97 + (seed * 3 + at * 5) % 26) for at in range(8))
    return [
        f"*{a}{'?' * (3 + (seed + at) % 9)}{b}*"
        for at, (a, b) in enumerate(zip(first, last, strict=True))
    ]


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        # many moments excluded: the first second after them is left
        ([allow(SEND, DateLessThan={"aws:CurrentTime": "2030-01-01T00:00:00Z"},
                DateNotEquals={"aws:CurrentTime": moments(0, 10_000)})], "exposed proven"),
        # … and none is, the window having closed by then
        ([allow(SEND, DateLessThan={"aws:CurrentTime": str(NOW + 10_000)}),
          *(deny(SEND, DateEquals={"aws:CurrentTime": moments(1_000 * at, 1_000)})
            for at in range(10))], "no_send"),
        # thousands of blocks out of one: there is room behind them
        ([allow(IpAddress={"aws:SourceIp": "2001:db8::/32"}),
          deny(IpAddress={"aws:SourceIp": [f"2001:db8:{at:x}::/48" for at in range(3_000)]})],
         "exposed proven"),
        # … and both halves denied leave none
        ([allow(IpAddress={"aws:SourceIp": "2001:db8::/32"}),
          deny(IpAddress={"aws:SourceIp": [f"2001:db8:{at:x}::/48" for at in range(1_000)]
                          + ["2001:db8::/33", "2001:db8:8000::/33"]})], "no_send"),
        # numbers and the gaps between them
        ([allow(SEND, NumericGreaterThan={"aws:n": "0"}, NumericLessThan={"aws:n": "3000"},
                NumericNotEquals={"aws:n": [str(at) for at in range(3_001)]}),
          deny(SEND, NumericEquals={"aws:n": [f"{at}.5" for at in range(3_000)]})],
         "exposed proven"),
        # absence, and sets that hold when empty, against one another
        ([*(allow(SEND, Null={TO: "true" if at % 2 else "false"},
                  ForAllValues__StringLike={TO: f"*{at}@*"},
                  ForAllValues__StringNotLike={TO: "*@*"}) for at in range(40))], "no_send"),
        # defaults inside of defaults are text
        ([allow(SEND, f"arn:aws:ses:*:*:identity/{DEFAULTS * 200}")], "no_send"),
        # one key in two spellings: both must hold, and no mailbox is "x"
        ([allow(SEND, StringLike={"ses:recipients": "*", TO: SIMULATOR}, stringlike={TO: "x"})],
         "no_send"),
        # half of a surrogate pair is in no address
        ([allow(SEND, StringLike={FROM: "*\udc00*"}),
          deny(StringNotLike={"aws:UserAgent": ["\ud800*", "*\udfff"]})], "no_send"),
        # action patterns of thousands of wildcards
        ([allow(["ses:*" + "?*" * 100 + "S*e*n*d*" * 40] * 50), allow("ses:S*l")],
         "exposed proven"),
        ([{**allow(SEND), "Sid": "y" * 1_000_000}], "exposed proven"),
    ],
    ids=["moments", "moments-closed", "blocks", "blocks-closed", "numbers", "absent", "defaults",
         "spellings", "surrogates", "actions", "sid"],
)  # fmt: skip
def test_large_and_odd_documents_have_their_plain_meaning(
    statements: list[Json], expected: str
) -> None:
    """Thousands of values on one key are answered; oddities mean what they say."""
    assert verdict(identity(*statements)) == expected


@pytest.mark.parametrize(
    "statements",
    [
        [one for at, name in enumerate(SENDS) for one in (
            allow(f"ses:{name}", StringLike={"aws:UserAgent": f"*z{'?' * (20 + at)}q*"}),
            deny(f"ses:{name}", StringLike={"aws:UserAgent": [f"*z{'?' * (20 + at)}q*?",
                                                              f"*z{'?' * (20 + at)}q"]}))],
        [one for at, name in enumerate(SENDS) for one in (
            allow(f"ses:{name}", "arn:aws:ses:*:*:identity/*.net",
                  StringLike={FROM: f"*{at}@*.com"}),
            *(deny(f"ses:{name}", StringNotLike={FROM: letters(at + k)}) for k in range(12)))],
        [allow(StringEquals={FROM: [f"s{at}@d.com" for at in range(3_000)]}),
         deny(StringLike={FROM: [f"*s{at}@d*" for at in range(3_000)]})],
        [allow(SEND, StringLike={"aws:UserAgent": f"*z{'?' * 9}q{at}*"},
               StringNotLike={"aws:UserAgent": [f"*z{'?' * 9}q{at}*?", f"*z{'?' * 9}q{at}"]})
         for at in range(200)],
    ],
    ids=["agents", "pairs", "literals", "allows"],
)  # fmt: skip
def test_what_outgrows_its_budget_says_so(statements: list[Json]) -> None:
    """Whatever each action asks, the role's budget bounds all of it: no search goes on beyond."""
    case = identity(*statements)
    found = decide(case.caller, case.layers, steps=300_000)
    assert found.verdict in ("undetermined", "no_send")
    assert (
        found.verdict == "no_send"
        or "budget" in str(found.reason)
        or "more than" in str(found.reason)
    )


@pytest.mark.parametrize(("last", "expected"), [(SIMULATOR, "simulator_only"), ("*", "exposed")])
def test_a_dozen_levels_of_scps(last: str, expected: str) -> None:
    """Every level binds, however many there are: the last of twelve may be what closes a role."""
    open_level = document(allow("*"))
    closing = document(allow("*", ForAllValues__StringLike={TO: last}, Null={TO: "false"}))
    levels = tuple(
        ScpLevel(f"ou-{at}", f"level {at}", (PolicyText("scp", None, "scp", one),))
        for at, one in enumerate([open_level] * 11 + [closing])
    )
    account = Account(
        ACCOUNT,
        "aws",
        [identity(allow()).role()],
        organization=Organization("o-example", False, levels),
    )
    (report,) = audit(account, now=datetime.fromtimestamp(NOW, UTC)).roles
    assert report.verdict == expected


def test_several_allows_hide_no_policy_that_could_not_be_read() -> None:
    """A role is safe only if every identity's policy was read, also where its Allows are alike."""
    arn = f"arn:aws:ses:eu-west-1:{ACCOUNT}:identity/example.com"
    unread = IdentityPolicies(arn, "eu-west-1", "identity/example.com", (), ("it wasn't read",))
    case = identity(allow(SEND, **CLOSED), allow("ses:SendRawEmail", **CLOSED))
    assert Memory().decide(case.caller, case.layers).verdict == "simulator_only"
    found = Memory((unread,)).decide(case.caller, case.layers)
    assert (found.verdict, found.reason) == ("undetermined", "it wasn't read")


def test_actions_remembered_from_other_roles_change_no_decision() -> None:
    """What a role's action answers doesn't hang on which roles were decided before."""
    shared = allow("ses:SendRawEmail", StringLike={FROM: "*@example.com"})
    cases = [
        identity(shared, allow(SEND, **CLOSED)),
        identity(shared, deny(SEND)),
        Case((document(shared), document(deny("ses:SendRawEmail", NotIpAddress={
            "aws:SourceIp": "10.0.0.0/8"})))),
        identity(shared),
    ]  # fmt: skip
    memory = Memory()
    for case in (*cases, *cases[::-1]):
        layers = case.layers
        found, fresh = memory.decide(case.caller, layers), case.decide()
        assert found.verdict == fresh.verdict
        assert [one.request for one in found.exposures] == [one.request for one in fresh.exposures]
        own = {placed.source for layer in layers for placed in layer.documents}
        assert all(one.source in own for found_one in found.exposures for one in found_one.allows)


def test_a_clock_of_many_values_costs_little_or_says_so() -> None:
    """An answer's steps stay within one search's budget; thousands of moments need far fewer."""
    excluded = frozenset(
        matcher
        for text in moments(0, 5_000)
        if (matcher := read(OPERATORS["dateequals"], text)) is not None
    )
    tests = frozenset((constraints.Test(excluded, inside=False, clock="aws:currenttime"),))
    found = constraints.satisfy_clock(NOW, tests)
    assert found.value == str(NOW + 5_000)
    assert found.cost <= SEARCH_BUDGET


@pytest.mark.parametrize(
    ("operator", "texts", "tried"),
    [
        ("numericlessthanequals", [str(at) for at in range(20)], ["19", "19.5", "20", "-3", "x"]),
        ("numericgreaterthan", [str(at) for at in range(20)], ["0", "0.1", "19", "-1", ""]),
        ("numericequals", [str(at) for at in range(20)], ["3", "3.0", "03", "3.5", "٣"]),
        ("datelessthan", moments(0, 20), [str(NOW), str(NOW + 18), str(NOW + 19), "2020", "x"]),
        ("ipaddress", [f"10.{at}.0.0/16" for at in range(0, 40, 2)] + ["10.4.7.0/24"],
         ["10.4.7.1", "10.5.0.1", "10.4.0.0/15", "10.4.0.0/16", "::1", "x", "10.38.255.255"]),
        ("stringequals", [f"a{at}" for at in range(20)], ["a1", "a20", "A1", ""]),
        ("stringlike", [f"a{at}*" for at in range(20)], ["a1", "a20", "b", "a"]),
        ("stringequalsignorecase", [f"a{at}" for at in range(20)], ["A1", "a20", "b"]),
    ],
)  # fmt: skip
def test_many_matchers_made_ready_match_what_each_would(
    operator: str, texts: list[str], tried: list[str]
) -> None:
    """A set of matchers that is looked up holds what trying its matchers one by one finds."""
    matchers = frozenset(
        matcher for text in texts if (matcher := read(OPERATORS[operator], text)) is not None
    )
    assert len(matchers) > FEW
    ready = check(matchers)
    for text in tried:
        assert ready.matches(text) == any(matcher.matches(text) for matcher in matchers)
