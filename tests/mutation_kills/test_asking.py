"""What stands between a search and a claim: the replay, the doubts, the work that was paid for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from auditor.actions import SEND_ACTIONS
from auditor.engine import asking
from auditor.engine.budget import Budget
from auditor.engine.evaluate import Judged
from auditor.engine.listing import Listing
from auditor.engine.memory import Memory
from auditor.errors import Undecidable
from tests.engine.cases import Case, allow, deny, identity, verdict

if TYPE_CHECKING:
    from auditor.engine.decision import Decision

NAME = "ses:FromDisplayName"
BIT = {action.name: bit for bit, action in enumerate(SEND_ACTIONS)}


def test_a_request_that_fails_its_replay_is_no_claim(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the evaluator doesn't agree, the role is neither exposed nor safe."""
    case = identity(allow("ses:SendEmail"))
    assert verdict(case) == "exposed proven"

    def refuse(*_given: Any, **_how: Any) -> Judged:
        return Judged(False, (), ())

    monkeypatch.setattr(asking, "evaluate", refuse)
    found = case.decide()
    assert (found.verdict, found.exposures) == ("undetermined", ())
    assert found.reason == "ses:SendEmail: the request that was found failed its own replay"


def test_a_plain_request_needs_nothing_special() -> None:
    """What is told as plain is the request that was found to be so, and its own Allow."""
    network = allow("ses:SendEmail", IpAddress={"aws:SourceIp": "10.0.0.0/8"})
    longer = allow(
        "ses:SendEmail",
        StringEquals={"aws:RequestedRegion": "eu-west-1"},
        ForAnyValue__StringLike={"ses:Recipients": "*@example.com"},
    )
    for case, at in ((identity(network, longer), 1), (identity(longer, network), 0)):
        (exposure,) = case.decide().exposures
        assert exposure.plain
        assert set(exposure.request.context) == {"ses:Recipients", "aws:RequestedRegion"}
        assert [one.statement.index for one in exposure.allows] == [at]


def test_every_answer_is_charged() -> None:
    """A cheap one each time, a dear one (it names its question) once; never beyond the budget."""
    budget = Budget(100)
    for _ in range(2):
        budget.pay(10, None)
    assert budget.left == 80
    for _ in range(2):
        budget.pay(20, "question")
    assert budget.left == 59
    with pytest.raises(Undecidable, match="too entangled"):
        budget.pay(60, None)


def test_a_doubt_about_an_action_is_every_role_s_that_has_it() -> None:
    """What could not be decided for one role isn't remembered as safe for the next."""
    doubtful = allow("ses:SendEmail", NumericLessThan={NAME: "5"}, StringLike={NAME: "a*"})
    memory = Memory()

    def told(case: Case) -> Decision:
        return memory.decide(case.caller, case.layers)

    first = told(identity(doubtful))
    second = told(identity(doubtful, allow("ses:SendBounce")))
    assert first.verdict == second.verdict == "undetermined"
    assert first.reason == second.reason
    assert first.reason is not None
    third = told(identity(doubtful, allow("ses:SendRawEmail")))
    assert (third.verdict, third.notes) == ("exposed", (first.reason,))


def test_an_action_that_no_statement_names_has_no_statements() -> None:
    """Also after an action has been asked about that some statement names."""
    listing = Listing(identity(allow("ses:SendBulkEmail")).layers, ())
    assert [len(layer) for layer in listing.of(BIT["ses:SendBulkEmail"]).allows] == [1]
    assert [len(layer) for layer in listing.of(BIT["ses:SendBounce"]).allows] == [0]


def test_leaving_a_key_out_is_the_way_round_a_deny() -> None:
    """Where a value of another key would do as well: the request says no more than it must."""
    case = identity(
        allow("ses:SendEmail", IpAddress={"aws:SourceIp": "10.0.0.0/8"}),
        deny(StringNotEquals={"aws:SourceVpc": "vpc-1"}, StringEquals={"aws:SourceVpce": "vpce-1"}),
    )
    (exposure,) = case.decide().exposures
    assert set(exposure.request.context) == {
        "ses:Recipients",
        "aws:RequestedRegion",
        "aws:SourceIp",
    }
