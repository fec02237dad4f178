"""THE function: account -> Report."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from auditor.actions import BOUNCE
from auditor.engine.memory import Memory
from auditor.findings import SEVERITIES, Finding, Report, RoleReport, StatementRef, Witness
from auditor.globs import like
from auditor.rules.catalogue import RULES
from auditor.rules.classify import evidence, rule_of
from auditor.rules.lint import lint
from auditor.scope import in_scope
from auditor.standing import Standing

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from auditor.account import Account, Role
    from auditor.engine.decide import Decision, Exposure
    from auditor.engine.layers import Layer, Located
    from auditor.findings import Severity


def audit(account: Account, *, now: datetime, role_globs: Sequence[str] = ()) -> Report:
    """Decide every CodeBuild role of an account and return the report.

    ``now`` (aware) is the time that conditions see. ``role_globs`` (on a role's name or ARN) leave
    out the roles that match none of them.
    """
    standing = Standing(account, int(now.timestamp()))
    memory = Memory(standing.identities)
    roles = [
        _role(role, standing, memory)
        for role in account.roles
        if _wanted(role, role_globs) and in_scope(role)
    ]
    return Report(
        generated_at=now,
        account_id=account.account_id,
        complete=not account.failures,
        roles=sorted(roles, key=lambda role: role.arn),
        not_evaluated=account.not_evaluated,
        errors=account.failures,
        unresolved_projects=account.unresolved_projects,
        api_calls=account.api_calls,
    )


def _wanted(role: Role, globs: Sequence[str]) -> bool:
    patterns = [like(glob) for glob in globs]
    return not patterns or any(p.matches(role.name) or p.matches(role.arn) for p in patterns)


def _role(role: Role, standing: Standing, memory: Memory) -> RoleReport:
    """Decide one role."""
    layers = standing.layers(role)
    decision = memory.decide(standing.caller(role), layers)
    findings = sorted(
        _findings(role, decision, layers),
        key=lambda f: (SEVERITIES.index(f.severity), f.rule, f.witness.action if f.witness else ""),
    )
    return RoleReport(
        arn=role.arn,
        name=role.name,
        projects=role.projects,
        verdict=decision.verdict,
        certainty=decision.certainty,
        reason=decision.reason,
        findings=tuple(findings),
        notes=decision.notes,
    )


def _findings(role: Role, decision: Decision, layers: Sequence[Layer]) -> Iterable[Finding]:
    for exposure in decision.exposures:
        yield _finding(role, rule_of(exposure, layers), _severity(exposure), exposure, layers)
    if decision.bounce is not None:
        yield _finding(role, "uncheckable-action", "low", decision.bounce, layers)
    if decision.verdict != "exposed":
        for rule, located in lint(layers):
            yield Finding(
                id=_id(role.arn, rule, ""),
                rule=rule,
                severity="info",
                certainty="proven",
                title=RULES[rule].title.format(role=role.name, action=""),
                witness=None,
                statements=_refs((located,)),
                remediation=_remedy(rule),
            )


def _severity(exposure: Exposure) -> Severity:
    return "high" if exposure.certainty == "proven" and exposure.plain else "medium"


def _finding(
    role: Role, rule: str, severity: Severity, exposure: Exposure, layers: Sequence[Layer]
) -> Finding:
    action = exposure.action.name
    title = RULES[rule].title.format(role=role.name, action=action)
    if action == BOUNCE:
        title = f"{role.name} may call {action}: it answers received mail only, unchecked."
    return Finding(
        id=_id(role.arn, rule, action),
        rule=rule,
        severity=severity,
        certainty=exposure.certainty,
        title=title,
        witness=Witness(*exposure.request),
        statements=_refs(evidence(exposure, layers)),
        remediation=_remedy(rule),
    )


@lru_cache(maxsize=64)
def _remedy(rule: str) -> str:
    return f"{RULES[rule].remedy.format()}: see {RULES[rule].page}."


ID_LENGTH: Final = 16
"""Hexadecimal digits of a finding's id: 64 bits, enough for any number of findings."""


def _id(arn: str, rule: str, action: str) -> str:
    """Return an id that stays the same across scans: it hangs on role, rule and action alone."""
    return hashlib.sha256(f"{arn}\n{rule}\n{action}".encode("utf-8", "surrogatepass")).hexdigest()[
        :ID_LENGTH
    ]


def _refs(located: Iterable[Located]) -> tuple[StatementRef, ...]:
    return tuple(
        StatementRef(
            layer=one.layer,
            policy=one.source.name,
            policy_arn=one.source.arn,
            kind=one.source.kind,
            sid=one.statement.sid,
            index=one.statement.index,
            effect="Allow" if one.statement.allows else "Deny",
        )
        for one in located
    )
