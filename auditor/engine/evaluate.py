"""A plain evaluator of one concrete request, the counterpart of ``decide``.

Shares no decision code with it: every witness is replayed here before it is reported.
"Policy evaluation logic":
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from auditor.engine.layers import Located
from auditor.engine.trial import Trial

if TYPE_CHECKING:
    from collections.abc import Sequence

    from auditor.engine.caller import Caller
    from auditor.engine.layers import IdentityPolicies, Layer
    from auditor.engine.request import Request


class Judged(NamedTuple):
    """Whether a request is allowed, and the statements that decided, layer by layer.

    ``allowing`` holds the Allows that match (one resource's each), ``denying`` the Denies.
    """

    allowed: bool
    allowing: tuple[Located, ...]
    denying: tuple[Located, ...]


def evaluate(
    request: Request,
    caller: Caller,
    layers: Sequence[Layer],
    identities: Sequence[IdentityPolicies] = (),
    *,
    least: bool,
) -> Judged:
    """Judge a request under a reading (``least`` access, or most). All its resources must pass.

    Any service's action will do, where the documents were parsed with ``every`` statement.
    """
    trial = Trial(request, caller, least=least)
    allowing: list[Located] = []
    denying: list[Located] = []
    allowed = bool(request.resources)
    for resource in request.resources:
        by_role, by_session, refused = trial.granted(resource, identities)
        allowing += (*by_role, *by_session)
        denying += refused
        for layer in layers:
            allows: list[Located] = []
            for placed in layer.documents:
                for statement in placed.document.statements:
                    if trial.matches(statement, resource):
                        matched = allows if statement.allows else denying
                        matched.append(Located(layer.name, placed.source, statement))
            # an unread boundary could allow anything: what it holds is said by its reason
            allowed &= (
                bool(allows)
                or (bool(layer.unread) and layer.name != "identity")
                or (layer.name == "identity" and bool(by_role or by_session))
                or (layer.name == "permissions-boundary" and bool(by_session))
            )
            allowing += allows
    return Judged(allowed and not denying, tuple(allowing), tuple(denying))
