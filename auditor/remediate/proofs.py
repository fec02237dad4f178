"""Requests put to the evaluator before and after a change: what it closes, and what it leaves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from auditor.actions import SEND_ACTIONS
from auditor.engine.evaluate import evaluate
from auditor.engine.layers import Layer, Placed
from auditor.engine.request import Request
from auditor.policy.parse import parse
from auditor.remediate.model import Proof
from auditor.remediate.wording import listed, sound

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from auditor.account import PolicyText, Role
    from auditor.engine.caller import Caller
    from auditor.engine.request import Value
    from auditor.findings import RoleReport
    from auditor.standing import Standing

SUCCESS: Final = "success@simulator.amazonses.com"
"""Mail to it is accepted and goes nowhere:
https://docs.aws.amazon.com/ses/latest/dg/send-an-email-from-console.html"""
ANYBODY: Final = "someone@example.com"
_REGIONS: Final = {"aws": "us-east-1", "aws-cn": "cn-north-1", "aws-us-gov": "us-gov-west-1"}
_SENDS: Final = {action.name: action for action in SEND_ACTIONS}
_OTHERS: Final = frozenset(("assumable-sender", "self-granting"))
"""Rules whose witness is another role's request, or none of a send's."""


class Trial(NamedTuple):
    """A role before and after the change, as the evaluator takes it."""

    caller: Caller
    before: tuple[Layer, ...]
    after: tuple[Layer, ...]


class _Asked(NamedTuple):
    """A witness, and the reading that it was found under."""

    least: bool
    action: str
    resources: tuple[str, ...]
    context: Mapping[str, Value]

    def key(self) -> object:
        """Return it as a value that can be compared and looked up."""
        return self.least, self.action, self.resources, tuple(sorted(self.context.items()))


class Prover:
    """Puts requests to the roles of one account, before and after one policy is on them."""

    def __init__(self, standing: Standing, policy: PolicyText) -> None:
        self._standing = standing
        self._placed = Placed(policy, parse(policy.document))
        self._known: dict[object, tuple[Proof, ...]] = {}

    def proofs(self, role: Role, reported: RoleReport) -> tuple[Proof, ...]:
        """Return the proofs for each witness of a role's own findings.

        A witness is judged by the reading that it was found under. After the change it counts as
        refused only if no reading, and none of its resources alone, lets it through.
        """
        asked = tuple(
            _Asked(one.certainty == "proven", *one.witness)
            for one in reported.findings
            if one.witness is not None and one.rule not in _OTHERS and one.witness.action in _SENDS
        )
        key = (self._likeness(role), tuple(map(_Asked.key, asked)))
        if key not in self._known:
            trial = self._trial(role)
            self._known[key] = tuple(
                self._proof(trial, Request(one.action, one.resources, one.context), least=one.least)
                for one in asked
            )
        return self._known[key]

    def _likeness(self, role: Role) -> object:
        """Return all that a request's being allowed hangs on, but for the request.

        The texts of the role's policies and its boundary, whose ARN it is (its account and
        partition), and the role itself where anything may ask about it. The rest is the account's.
        """
        known = self._standing
        sources = (*role.inline, *role.attached)
        signed = [known.documents.signed(source) for source in sources]
        limit = None if role.boundary is None else known.documents.signed(role.boundary)
        keys = {key for one in (*signed, *([limit] if limit else [])) for key in one.facts}
        told: object = None
        if keys or known.facts or known.identities:
            told = (role.arn, role.role_id, tuple(sorted(role.tags.items())))
        own = tuple(one.number for one in signed if not one.silent)
        return (known.home(role), own, None if limit is None else limit.number, told)

    def opening(self, role: Role) -> tuple[Proof, ...]:
        """Return what the sender gives: the simulator, and nobody else, by each of its actions."""
        trial = self._trial(role)
        partition, account = trial.caller.partition, trial.caller.account
        region = _REGIONS.get(partition, _REGIONS["aws"])
        identity = f"arn:{partition}:ses:{region}:{account}:identity/example.com"
        context: Mapping[str, Value] = {
            "aws:RequestedRegion": region,
            "ses:FromAddress": "build@example.com",
            "ses:Recipients": (ANYBODY,),
        }
        return tuple(
            self._proof(trial, Request(name, (identity,), context), least=True)
            for name in ("ses:SendEmail", "ses:SendRawEmail")
        )

    def _trial(self, role: Role) -> Trial:
        before = self._standing.layers(role)
        own = before[0]
        with_it = own._replace(documents=(*own.documents, self._placed))
        return Trial(self._standing.caller(role), before, (with_it, *before[1:]))

    def _proof(self, trial: Trial, request: Request, *, least: bool) -> Proof:
        simulated = _simulated(request)
        before = self._allowed(request, trial.caller, trial.before, least=least)
        after = any(
            self._allowed(
                request._replace(resources=(arn,)), trial.caller, trial.after, least=False
            )
            for arn in request.resources
        )
        return Proof(
            action=request.action,
            resources=tuple(map(sound, request.resources)),
            context={
                sound(key): sound(value) if isinstance(value, str) else tuple(map(sound, value))
                for key, value in sorted(request.context.items())
            },
            allowed_before=before,
            allowed_after=after,
            simulator_before=None
            if simulated is None
            else self._allowed(simulated, trial.caller, trial.before, least=least),
            simulator_after=None
            if simulated is None
            else self._allowed(simulated, trial.caller, trial.after, least=least),
        )

    def _allowed(
        self, request: Request, caller: Caller, layers: tuple[Layer, ...], *, least: bool
    ) -> bool:
        identities = self._standing.identities
        return evaluate(request, caller, layers, identities, least=least).allowed


def _simulated(request: Request) -> Request | None:
    """Return the same request to the simulator alone; None where it carries no recipients."""
    if not _SENDS[request.action].carries_recipients:
        return None
    context = {key: one for key, one in request.context.items() if key.lower() != "ses:recipients"}
    return request._replace(context={**context, "ses:Recipients": (SUCCESS,)})


def failing(proofs: tuple[Proof, ...]) -> Proof | None:
    """Return a request that the evaluator still lets through to people, or None."""
    return next((one for one in proofs if one.allowed_after and reaches_people(one)), None)


def reaches_people(proof: Proof) -> bool:
    """Tell whether a proof's request mails somebody of the caller's choosing."""
    return proof.action != "ses:SendBounce"


def still(proofs: tuple[Proof, ...], after: RoleReport, *, undoable: bool = False) -> Iterator[str]:
    """Yield sentences on what a role can still do after the change.

    ``undoable``: that it may undo the change itself is told elsewhere.
    """
    kept = [one.action for one in proofs if one.simulator_after]
    if kept:
        yield f"It can mail the mailbox simulator: {listed(dict.fromkeys(kept))}."
    elif after.verdict == "simulator_only":
        yield "It can mail the mailbox simulator, though not by the requests tried here."
    else:
        yield "It can mail nobody, the mailbox simulator included."
    for finding in after.findings:
        if finding.severity == "low" and not (undoable and finding.rule == "self-granting"):
            yield sound(finding.title)
