"""The plan: what would be changed on which role, proven before anything is touched. No AWS here."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC
from typing import TYPE_CHECKING, NamedTuple

from auditor.account import PolicyText
from auditor.audit import audit
from auditor.chains import Chains
from auditor.corrective.names import MANAGED, policy_arn
from auditor.judging import Judge
from auditor.remediate.choose import choose, existing_policy
from auditor.remediate.fingerprint import fingerprint
from auditor.remediate.model import Change, Left, Plan, sha256_of
from auditor.remediate.proofs import Prover, failing, still
from auditor.remediate.request import PlanRequest, document_of
from auditor.remediate.room import with_policy
from auditor.remediate.warn import warnings
from auditor.remediate.wording import left, sound, standing, told
from auditor.standing import Documents, Standing
from auditor.undoing import Undoers

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from auditor.account import Account, Role
    from auditor.findings import RoleReport
    from auditor.remediate.choose import Chosen, Through

__all__ = ["PlanRequest", "plan"]

SAFE = {"guard": ("simulator_only", "no_send"), "sender": ("simulator_only",)}
"""The verdicts that a change must lead to, or it isn't planned."""

_CODES = {
    "exposed": "still-exposed",
    "undetermined": "undetermined-after",
    "simulator_only": "no-effect",
    "no_send": "no-effect",
}


def plan(account: Account, request: PlanRequest, *, now: datetime) -> Plan:
    """Return what is to be changed in an account, each change proven to do what it is for.

    Pure: the same account, request and ``now`` (aware; the time that conditions see) give the same
    plan. The account is audited once as it is, and its chosen roles and what they could become
    once more as they would be. Raises ``InputError`` for a request that can't be meant.
    """
    roles = tuple(account.roles)
    account = replace(account, roles=roles)
    documents = Documents()
    report = audit(account, now=now, documents=documents, closings=False)
    reports = {one.arn: one for one in report.roles}
    choice = choose(account, roles, reports, request)
    subject = _Subject.of(account, request)
    around = _around(roles, reports, choice.changing, subject)
    after = _after(account, around, now, documents)
    known = Standing(account, int(now.timestamp()), documents)
    workshop = _Workshop(known, roles, request, subject)
    decided = [workshop.decide(one, after[one.role.arn]) for one in choice.changing]
    changes = tuple(one for one in decided if isinstance(one, Change))
    changed = {one.role_arn for one in changes}
    names = {role.name: role for role in roles}
    lefts = [
        *choice.left,
        *(one for one in decided if isinstance(one, Left)),
        *(_through(one, names, reports, changed, after) for one in choice.through),
    ]
    missing = existing_policy(account, roles, request) is None
    made = missing and request.create_policy and any(one.way == "attach" for one in changes)
    return _named(
        Plan(
            id="",
            account_id=account.account_id,
            partition=account.partition,
            created_at=now.astimezone(UTC).replace(microsecond=0),
            policy=request.policy,
            policy_arn=subject.text.arn or "",
            policy_sha256=sha256_of(subject.text.document),
            create_policy=made,
            complete=report.complete,
            changes=changes,
            left=tuple(sorted(lefts, key=lambda one: (one.role_arn, one.why.code))),
        )
    )


class _Subject(NamedTuple):
    """The policy as it would be attached: one text, shared by all roles."""

    text: PolicyText

    @classmethod
    def of(cls, account: Account, request: PlanRequest) -> _Subject:
        arn = policy_arn(account.partition, account.account_id, request.policy)
        document = document_of(request.policy)
        return cls(PolicyText(MANAGED[request.policy], arn, "managed", document))


def _around(
    roles: Sequence[Role],
    reports: Mapping[str, RoleReport],
    changing: Sequence[Chosen],
    subject: _Subject,
) -> tuple[Role, ...]:
    """Return the roles with all changes made, as far as the others bear on the changed ones.

    CodeBuild roles that are safe as they are, and stay as they are, are left out: they lead to no
    exposed role now, and neither policy lets anybody send more to people than before.
    """
    changed = {one.role.arn: with_policy(one.role, one.way, subject.text) for one in changing}
    safe = {arn for arn, one in reports.items() if one.verdict in ("simulator_only", "no_send")}
    return (
        tuple(
            changed.get(role.arn, role)
            for role in roles
            if role.arn in changed or role.arn not in safe
        )
        if changed
        else ()
    )


def _after(
    account: Account, around: tuple[Role, ...], now: datetime, documents: Documents
) -> dict[str, RoleReport]:
    """Audit the account as it would be."""
    if not around:
        return {}
    report = audit(replace(account, roles=around), now=now, documents=documents, closings=False)
    return {one.arn: one for one in report.roles}


class _Workshop:
    """Makes the change of a role, or says why there is none."""

    def __init__(
        self,
        known: Standing,
        roles: Sequence[Role],
        request: PlanRequest,
        subject: _Subject,
    ) -> None:
        self._request = request
        self._arn = subject.text.arn or ""
        self._prover = Prover(known, subject.text)
        chains = Chains(known, Judge(known).decide)
        self._undoers = Undoers(known, chains, roles, self._arn)

    def decide(self, one: Chosen, after: RoleReport) -> Change | Left:
        """Return the change of a role, or why it isn't made after all."""
        role, reported, way = one
        policy = self._request.policy
        proofs = (
            self._prover.proofs(role, reported) if policy == "guard" else self._prover.opening(role)
        )
        if after.verdict not in SAFE[policy]:
            return left(role, reported, _CODES[after.verdict], _remains(after))
        wrong = failing(proofs)
        if wrong is not None:
            text = f"{wrong.action} is let through after the change by the evaluator of requests"
            text += f", though the audit finds it {told(after.verdict)}: please report this."
            return left(role, reported, "contradiction", text)
        found = self._undoers.of(role, way)
        itself = found.found is not None and not found.found.roles
        return Change(
            role_arn=sound(role.arn),
            role_name=sound(role.name),
            role_id=sound(role.role_id),
            projects=tuple(sound(f"{each.name} ({each.region})") for each in role.projects),
            seen=fingerprint(role),
            way=way,
            before=standing(reported),
            after=standing(after),
            proofs=proofs,
            still=tuple(still(proofs, after, undoable=itself)),
            warnings=tuple(warnings(role, reported, way, found, proofs, policy, self._arn)),
        )


def _remains(after: RoleReport) -> str:
    """Return what would still be open, or unknown, with the policy on the role."""
    if after.verdict == "undetermined":
        return f"with the policy on it it would be undetermined: {after.reason}"
    if after.verdict == "no_send":
        return "with the policy on it it could still mail nobody: a limit or a Deny stops it."
    worst = after.worst()
    why = "" if worst is None else f" {worst.title}"
    return f"with the policy on it it would still be {told(after.verdict, after.certainty)}.{why}"


def _through(
    one: Through,
    names: Mapping[str, Role],
    reports: Mapping[str, RoleReport],
    changed: set[str],
    after: Mapping[str, RoleReport],
) -> Left:
    """Return why nothing is planned for a role that is exposed only through another."""
    text = f"it is exposed only through {one.end}, which it may become, so a policy on it closes"
    text += " nothing: "
    end = names.get(one.end)
    then = after.get(one.role.arn)
    if end is None or end.arn not in reports:
        text += f"{one.end} isn't CodeBuild's and may be a production sender, so a person must"
        text += " decide which of the two to change."
    elif sound(end.arn) in changed:
        verdict = (
            "" if then is None else f"; with it this role is {told(then.verdict, then.certainty)}"
        )
        text += f"the change of {one.end} is in this plan{verdict}."
    else:
        text += f"change {one.end} instead."
    return left(one.role, one.reported, "assumable-sender", text)


def _named(draft: Plan) -> Plan:
    """Return the plan with its id: the time, and a hash of all that is in it."""
    return draft.model_copy(update={"id": id_of(draft)})


def id_of(found: Plan) -> str:
    """Return the id that a plan of this content has."""
    content = found.model_copy(update={"id": ""}).model_dump(mode="json")
    return f"plan-{found.created_at:%Y%m%dT%H%M%SZ}-{sha256_of(content)[:8]}"
