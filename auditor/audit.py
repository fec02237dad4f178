"""THE function: account -> Report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.chains import Chains
from auditor.engine.memory import Memory
from auditor.findings import SEVERITIES, Finding, Report, RoleReport
from auditor.globs import like
from auditor.rules.classify import rule_of
from auditor.rules.lint import lint
from auditor.rules.making import (
    chain_finding,
    exposure_finding,
    lint_finding,
    self_granting_finding,
    severity_of,
)
from auditor.scope import in_scope
from auditor.selfgrants import self_grants
from auditor.standing import Standing

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from auditor.account import Account, Role
    from auditor.engine.decide import Decision
    from auditor.engine.layers import Layer
    from auditor.findings import Certainty, Verdict


def audit(account: Account, *, now: datetime, role_globs: Sequence[str] = ()) -> Report:
    """Decide every CodeBuild role of an account and return the report.

    ``now`` (aware) is the time that conditions see. ``role_globs`` (on a role's name or ARN) leave
    out the roles that match none of them.
    """
    standing = Standing(account, int(now.timestamp()))
    decided = _Decided(standing)
    roles = list(account.roles)
    audited = [role for role in roles if in_scope(role) and _wanted(role, role_globs)]
    chains = Chains(standing, decided)
    beyond = chains.follow(audited, roles)
    exposed = [role for role in audited if decided(role).verdict == "exposed"] + beyond
    reports = [_role(role, decided(role), chains, exposed) for role in audited]
    return Report(
        generated_at=now,
        account_id=account.account_id,
        complete=not account.failures,
        roles=sorted(reports, key=lambda role: role.arn),
        not_evaluated=account.not_evaluated,
        errors=account.failures,
        unresolved_projects=account.unresolved_projects,
        api_calls=account.api_calls,
    )


def _wanted(role: Role, globs: Sequence[str]) -> bool:
    patterns = [like(glob) for glob in globs]
    return not patterns or any(p.matches(role.name) or p.matches(role.arn) for p in patterns)


class _Decided:
    """Decides roles by their own policies, each once."""

    def __init__(self, standing: Standing) -> None:
        self._standing = standing
        self._memory = Memory(standing.identities)
        self._known: dict[str, Decision] = {}

    def __call__(self, role: Role) -> Decision:
        if role.arn not in self._known:
            caller, layers = self._standing.caller(role), self._standing.layers(role)
            self._known[role.arn] = self._memory.decide(caller, layers)
        return self._known[role.arn]


def _role(role: Role, decision: Decision, chains: Chains, exposed: Sequence[Role]) -> RoleReport:
    """Report on one role."""
    layers = chains.standing.layers(role)
    verdict, certainty, reason = _verdict(role, decision, chains)
    found = list(_findings(role, decision, layers, verdict))
    chain = chains.found.get(role.arn)
    if chain is not None and chain.level != "undetermined":
        found.append(chain_finding(role, chain.roles, chain.level, chain.end, chain.allows))
    calls = tuple(self_grants(role, chains, exposed))
    if calls:
        found.append(self_granting_finding(role, calls))
    return RoleReport(
        arn=role.arn,
        name=role.name,
        projects=role.projects,
        verdict=verdict,
        certainty=certainty,
        reason=reason,
        findings=tuple(sorted(found, key=_order)),
        notes=decision.notes,
    )


def _order(finding: Finding) -> tuple[int, str, str]:
    action = finding.witness.action if finding.witness else ""
    return SEVERITIES.index(finding.severity), finding.rule, action


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


def _findings(
    role: Role, decision: Decision, layers: Sequence[Layer], verdict: Verdict
) -> Iterable[Finding]:
    for exposure in decision.exposures:
        yield exposure_finding(
            role, rule_of(exposure, layers), severity_of(exposure), exposure, layers
        )
    if decision.bounce is not None:
        yield exposure_finding(role, "uncheckable-action", "low", decision.bounce, layers)
    if verdict != "exposed":
        for rule, located in lint(layers):
            yield lint_finding(role, rule, located)
