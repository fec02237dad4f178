"""Why the conditions of an Allow let a request through that mails a real person."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.actions import RECIPIENTS, SEND_ACTIONS
from auditor.explain.evidence import satisfied
from auditor.explain.words import condition_words, short
from auditor.policy.operators import NULL

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditor.engine.decision import Exposure
    from auditor.engine.layers import Located
    from auditor.explain.world import World
    from auditor.policy.model import Condition

_SENT = frozenset(key.lower() for action in SEND_ACTIONS for key in action.context_keys)


def whys(one: Located, exposure: Exposure, world: World) -> Iterator[str]:
    """Yield, for each condition on the recipients or on a key that is never sent, why it holds."""
    action = exposure.action
    carried = {key.lower() for key in action.context_keys}
    for condition in one.statement.conditions:
        if condition.operator is NULL or not condition.key.startswith("ses:"):
            continue
        if condition.key not in carried:
            who = action.name if condition.key in _SENT else "SES"
            yield (
                f"{condition_words(condition)}: {who} never sends this key, and without it this"
                " operator holds"
            )
        elif condition.key == RECIPIENTS:
            why = _why(one, condition, exposure, world)
            if why:
                yield f"{condition_words(condition)}: {why}"


def _why(one: Located, condition: Condition, exposure: Exposure, world: World) -> str:
    request = exposure.request
    variables = one.statement.variables
    given = next((v for key, v in request.context.items() if key.lower() == RECIPIENTS), ())
    matched = {
        address: satisfied(request, world, condition, address, variables)
        for address in ((given,) if isinstance(given, str) else given)
    }
    real = [one for one in matched if not one.lower().endswith("@simulator.amazonses.com")]
    if not condition.quantifier:
        return (
            "ForAllValues or ForAnyValue is missing, and AWS doesn't say what it means then: one"
            " recipient that fits may be enough"
        )
    if condition.operator.negated:
        free = [address for address in real if matched[address] is None]
        if not free:
            return ""
        return f"the operator is negated: it holds for what doesn't match, as {short(free[0])}"
    hit = next((address for address in real if matched[address] is not None), None)
    if hit is not None:
        return f"its pattern {short(matched[hit] or '')} matches {short(hit)}"
    fit = next((address for address, text in matched.items() if text is not None), None)
    if condition.quantifier == "any" and fit is not None and real:
        return f"one recipient that fits is enough ({short(fit)}): {short(real[0])} rides along"
    return ""
