"""THE function: account -> Report."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from auditor.actions import BOUNCE
from auditor.engine.caller import Caller
from auditor.engine.layers import Layer, Placed
from auditor.engine.memory import Memory
from auditor.errors import PolicyError
from auditor.findings import SEVERITIES, Finding, Report, RoleReport, StatementRef, Witness
from auditor.globs import like
from auditor.policy.parse import parse
from auditor.rules.catalogue import RULES
from auditor.rules.classify import evidence, rule_of
from auditor.rules.lint import lint
from auditor.scope import in_scope

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from auditor.account import Account, PolicyText, Role
    from auditor.engine.decide import Decision, Exposure
    from auditor.engine.layers import LayerName, Located
    from auditor.findings import Severity
    from auditor.policy.model import Document


def audit(account: Account, *, now: datetime, role_globs: Sequence[str] = ()) -> Report:
    """Decide every CodeBuild role of an account and return the report.

    ``now`` (aware) is the time that conditions see. ``role_globs`` (on a role's name or ARN) leave
    out the roles that match none of them.
    """
    shared: dict[PolicyText, Document | PolicyError] = {}
    memory = Memory()
    seconds = int(now.timestamp())
    roles = [
        _role(role, account, seconds, shared, memory)
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


def _role(
    role: Role,
    account: Account,
    now: int,
    shared: dict[PolicyText, Document | PolicyError],
    memory: Memory,
) -> RoleReport:
    """Decide one role."""
    layers = layers_of(role, shared)
    caller = caller_of(role, account, now)
    decision = memory.decide(caller, layers)
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


def caller_of(role: Role, account: Account, now: int) -> Caller:
    """Return what is known of a role's sessions; account and partition are its own ARN's."""
    parts = role.arn.split(":")
    return Caller(
        arn=role.arn,
        account=parts[4] if len(parts) > 5 else account.account_id,
        partition=parts[1] if len(parts) > 5 else account.partition,
        role_id=role.role_id,
        tags={key.lower(): value for key, value in role.tags.items()},
        now=now,
    )


def layers_of(
    role: Role, shared: dict[PolicyText, Document | PolicyError] | None = None
) -> tuple[Layer, ...]:
    """Return a role's layers: identity policies, then the boundary if there is one.

    ``shared`` remembers documents, so that a policy attached to many roles is read once.
    """
    shared = {} if shared is None else shared
    layers = [_layer("identity", (*role.inline, *role.attached), shared)]
    if role.boundary is not None:
        layers.append(_layer("permissions-boundary", (role.boundary,), shared))
    return tuple(layers)


def _layer(
    name: LayerName,
    sources: Iterable[PolicyText],
    shared: dict[PolicyText, Document | PolicyError],
) -> Layer:
    placed: list[Placed] = []
    unread: list[str] = []
    for source in sources:
        if source.missing is not None:
            unread.append(f"{_described(name, source)} could not be read: {source.missing}")
            continue
        if source not in shared:
            shared[source] = _parsed(source)
        found = shared[source]
        if isinstance(found, PolicyError):
            unread.append(f"{_described(name, source)} is not a policy that IAM accepts: {found}")
        elif found.statements:
            placed.append(Placed(source, found))
    return Layer(name, tuple(placed), tuple(unread))


def _parsed(source: PolicyText) -> Document | PolicyError:
    try:
        return parse(source.document)
    except PolicyError as error:
        return error


def _described(layer: str, source: PolicyText) -> str:
    if layer != "identity":
        return f"the permissions boundary {source.arn or source.name}"
    return f"the inline policy {source.name}" if source.arn is None else f"the policy {source.arn}"


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
