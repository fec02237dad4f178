"""What is worth saying about a role that is not exposed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.actions import RECIPIENTS, SEND_ACTIONS
from auditor.policy.operators import NULL

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from auditor.engine.layers import Layer
    from auditor.policy.model import Statement

from auditor.engine.layers import Located

_KEYED = sum(1 << bit for bit, action in enumerate(SEND_ACTIONS) if action.carries_recipients)


def lint(layers: Sequence[Layer]) -> Iterator[tuple[str, Located]]:
    """Yield (rule, statement): at most one a rule, the first that it is about."""
    for layer in layers:
        for placed in layer.documents:
            for statement in placed.document.statements:
                if layer.name == "identity" and lacks_null_check(statement):
                    yield "missing-null-check", Located(layer.name, placed.source, statement)
                    return


def lacks_null_check(statement: Statement) -> bool:
    """Tell whether an Allow of sends has ``ForAllValues`` on the recipients without ``Null``.

    ``ForAllValues`` holds where the key is absent; AWS's page asks for a ``Null`` check beside it:
    https://docs.aws.amazon.com/IAM/latest/UserGuide/
    reference_policies_condition-single-vs-multi-valued-context-keys.html
    """
    if not statement.allows or not statement.actions & _KEYED:
        return False
    on_key = [c for c in statement.conditions if c.key == RECIPIENTS]
    checked = any(c.operator is NULL and "false" in map(str.lower, c.values) for c in on_key)
    return not checked and any(c.quantifier == "all" for c in on_key)
