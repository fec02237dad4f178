"""Which rule an exposure falls under: told from how the decision fell, not from looks."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from auditor.actions import RECIPIENTS
from auditor.domains import MAILBOX, is_mailbox
from auditor.engine.conditions import passing
from auditor.engine.constraints import REAL, satisfy
from auditor.engine.layers import Located
from auditor.policy.operators import NULL

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from auditor.engine.constraints import Test
    from auditor.engine.decision import Exposure
    from auditor.engine.layers import Layer
    from auditor.policy.model import Condition

SIMULATOR_LOCALS = ("success", "bounce", "ooto", "complaint", "suppressionlist")


def rule_of(exposure: Exposure, layers: Sequence[Layer]) -> str:
    """Return the id of the rule that an exposure falls under."""
    if not exposure.action.carries_recipients:
        return "uncheckable-action"
    if any(one.layer == "identity-policy" for one in exposure.allows):
        return "identity-policy-grant"
    allowing = list(_on_recipients(exposure.allows))
    if exposure.certainty == "possible" and any(not c.quantifier for _, c in allowing):
        return "undefined-condition"
    state = exposure.state
    denies = list(_on_recipients(_denies(exposure, layers)))
    if exposure.certainty == "possible" and any(not c.quantifier for _, c in denies):
        return "undefined-condition"  # under most access such a Deny never matches
    denying = [(located, c) for located, c in denies if _bears(exposure, located, c)]
    if not allowing and not denying:
        return "unrestricted-send"
    together = frozenset((*state.each, *state.some, REAL))
    if satisfy(MAILBOX, together).value is None:
        return "mixed-recipients"
    limits = (*allowing, *denying)
    if any(_inverted(*limit) and _names_simulator(limit[1]) for limit in limits):
        return "inverted-condition"
    real = [address for address in _recipients(exposure) if REAL.holds(address)]
    named = [text for one in real if (text := _naming(exposure, one, limits)) is not None]
    if len(named) == len(real):
        return "loose-recipient-pattern" if _resembles(named[0]) else "other-recipients-allowed"
    # somebody whom no condition names gets mail: beside one who is named, or in spite of all
    return "mixed-recipients" if len(_recipients(exposure)) > 1 else "inverted-condition"


def evidence(exposure: Exposure, layers: Sequence[Layer]) -> tuple[Located, ...]:
    """Return the statements that an exposure rests on: its Allows, then Denies that miss it."""
    open_ = exposure.certainty == "possible"  # whether a Deny without a set operator holds
    missing = [
        located
        for located, condition in _on_recipients(_denies(exposure, layers))
        if _bears(exposure, located, condition) or (open_ and not condition.quantifier)
    ]
    return tuple(dict.fromkeys((*exposure.allows, *missing)))


def _denies(exposure: Exposure, layers: Sequence[Layer]) -> Iterator[Located]:
    """Yield the Denies of the action that look at the recipients: few roles have any."""
    action = exposure.question.action
    return (one for one in _limiting(tuple(layers)) if one.statement.actions >> action & 1)


@lru_cache(maxsize=16)
def _limiting(layers: tuple[Layer, ...]) -> tuple[Located, ...]:
    """Return the Denies that look at the recipients; asked about each of a role's exposures."""
    return tuple(
        Located(layer.name, placed.source, statement)
        for layer in layers
        for placed in layer.documents
        for statement in placed.document.statements
        if not statement.allows and RECIPIENTS in statement.mentions
    )


def _on_recipients(
    located: Sequence[Located] | Iterator[Located],
) -> Iterator[tuple[Located, Condition]]:
    """Yield the conditions on the recipients' values (presence alone limits nobody)."""
    for one in located:
        for condition in one.statement.conditions:
            if condition.key == RECIPIENTS and condition.operator is not NULL:
                yield one, condition


def _test(exposure: Exposure, located: Located, condition: Condition) -> Test:
    statement = located.statement
    return passing(
        condition,
        exposure.question.setting,
        allows=statement.allows,
        variables=statement.variables,
    )


def _bears(exposure: Exposure, located: Located, condition: Condition) -> bool:
    """Tell whether a Deny's recipient condition is what the witness gets past."""
    test = _test(exposure, located, condition)
    state = exposure.state
    return test in state.each or test.negated() in state.each or test.negated() in state.some


def _names_simulator(condition: Condition) -> bool:
    return any("amazonses" in text.lower() for text in condition.values)


def _inverted(located: Located, condition: Condition) -> bool:
    """Tell whether a condition shuts out those that it names, and lets in everybody else."""
    return condition.operator.negated == located.statement.allows


def _recipients(exposure: Exposure) -> list[str]:
    return [a for a in exposure.request.context.get("ses:Recipients", ()) if is_mailbox(a)]


def _naming(
    exposure: Exposure, address: str, limits: Sequence[tuple[Located, Condition]]
) -> str | None:
    """Return the value by which some condition lets an address in; None where none names it."""
    matchers = (m for limit in limits for m in _test(exposure, *limit).matchers)
    return next((str(one).lower() for one in matchers if one.matches(address)), None)


def _resembles(text: str) -> bool:
    """Tell whether a value (in lower case) looks like the simulator's addresses."""
    near = "amazonses" in text or "simulator" in text
    return near or text.partition("@")[0] in SIMULATOR_LOCALS
