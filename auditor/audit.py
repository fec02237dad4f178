"""THE function: account -> Report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from auditor.chains import Chains
from auditor.findings import Limits, Report, RoleReport
from auditor.globs import like
from auditor.judging import Judge
from auditor.rules.making import chain_finding, order_of
from auditor.rules.selfgranting import Exposed
from auditor.scope import Scope, is_service_linked
from auditor.selfgrants import SelfGrants
from auditor.standing import Standing

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from auditor.account import Account, Role
    from auditor.engine.decision import Decision
    from auditor.findings import Certainty, Verdict
    from auditor.globs import Glob
    from auditor.standing import Documents


def audit(
    account: Account,
    *,
    now: datetime,
    role_globs: Sequence[str] = (),
    regions: Sequence[str] = (),
    documents: Documents | None = None,
    closings: bool = True,
    decided: Callable[[int, int], None] | None = None,
) -> Report:
    """Decide every CodeBuild role of an account and return the report.

    ``now`` (aware) is the time that conditions see. ``role_globs`` (on a role's name or ARN) leave
    out the roles that match none of them. ``regions`` are those that the account was collected
    from, where these are not all and it doesn't say so itself (``Account.limited_to``): both are
    said in the report's limits. ``documents`` keeps what was read, for another audit of the same
    texts. ``decided`` is called after each role's decision with how many are decided, of how many:
    for whoever waits.
    """
    standing = Standing(account, int(now.timestamp()), documents)
    judge = Judge(standing)
    roles = list(account.roles)
    wanted = [like(glob) for glob in role_globs]
    asked = tuple(regions) or account.limited_to
    scope = Scope()
    audited = [role for role in roles if scope.holds(role) and _wanted(role, wanted)]
    if decided is not None:
        for number, role in enumerate(audited, 1):
            judge.of(role)  # remembered, so that it costs nothing twice
            if closings:
                judge.closed(role)
            decided(number, len(audited))
    chains = Chains(standing, judge.decide)
    chains.follow(audited, roles)
    exposed = Exposed(lambda: (role for role in roles if _is_exposed(role, judge, chains)))
    granting = SelfGrants(chains, exposed)
    reports = [_role(role, judge, chains, granting, closings=closings) for role in audited]
    return Report(
        generated_at=now,
        account_id=account.account_id,
        complete=not account.failures,
        roles=sorted(reports, key=lambda role: role.arn),
        not_evaluated=account.not_evaluated,
        errors=account.failures,
        unresolved_projects=account.unresolved_projects,
        api_calls=account.api_calls,
        ses=account.ses,
        limits=Limits(tuple(role_globs), asked) if role_globs or asked else None,
    )


_CLOSED: Final = ("simulator_only", "no_send")


def _wanted(role: Role, globs: Sequence[Glob]) -> bool:
    return not globs or any(one.matches(role.name) or one.matches(role.arn) for one in globs)


def _role(
    role: Role, judge: Judge, chains: Chains, granting: SelfGrants, *, closings: bool
) -> RoleReport:
    """Report on one role."""
    judged = judge.of(role)
    verdict, certainty, reason = _verdict(role, judged.decision, chains)
    drafts = judged.drafts if verdict == "exposed" else judged.advised
    found = [draft.about(role) for draft in drafts]
    chain = chains.found.get(role.arn)
    if chain is not None and chain.level != "undetermined":
        found.append(
            chain_finding(
                role, chain.roles, chain.level, chain.end, chain.allows, plain=chain.plain
            )
        )
    granted = granting.of(role)
    if granted is not None:
        found.append(granted.about(role))
    return RoleReport(
        arn=role.arn,
        name=role.name,
        projects=role.projects,
        verdict=verdict,
        certainty=certainty,
        reason=reason,
        findings=tuple(found if len(found) == len(drafts) else sorted(found, key=order_of)),
        notes=judged.decision.notes,
        closed=judge.closed(role) if closings and verdict in _CLOSED else None,
        source=role,
    )


def _is_exposed(role: Role, judge: Judge, chains: Chains) -> bool:
    """Tell whether any role of the account, CodeBuild's or not, can mail real people."""
    if is_service_linked(role):
        return False
    chain = chains.found.get(role.arn)
    return judge.decide(role).verdict == "exposed" or (
        chain is not None and chain.level != "undetermined"
    )


def _verdict(
    role: Role, decision: Decision, chains: Chains
) -> tuple[Verdict, Certainty | None, str | None]:
    """Return a role's verdict, certainty and reason, what it may become included."""
    chain = chains.found.get(role.arn)
    proven: Certainty = "proven"
    if decision.certainty == proven or (chain is not None and chain.level == proven):
        return "exposed", proven, None
    if decision.verdict == "exposed" or (chain is not None and chain.level == "possible"):
        return "exposed", "possible", None
    if decision.verdict == "undetermined":
        return "undetermined", None, decision.reason
    if chain is not None:
        way = " -> ".join(one.name for one in chain.roles)
        return "undetermined", None, f"may assume {way}, which is undetermined: {chain.end.reason}"
    if role.arn in chains.unknown:
        return "undetermined", None, chains.unknown[role.arn]
    return decision.verdict, None, None
