"""One role of the report as JSON: its values, and the same as text, written faster.

The text is what ``json.dumps`` makes of the values. A report on thousands of roles says much the
same of many of them: what they share is one object, and is written once.
"""

from __future__ import annotations

import json
from datetime import UTC
from json.encoder import encode_basestring_ascii as quoted
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from datetime import datetime

    from auditor.account import Project
    from auditor.findings import Closed, Finding, RoleReport, StatementRef, Suppressed, Witness
    from auditor.lasting import RoleException

_RECIPIENTS = "ses:recipients"  # the one key that is a list even with one value; keys ignore case

_K = TypeVar("_K")
_V = TypeVar("_V")

REMEMBERED: Final = 4_096
"""Texts kept of each kind of shared part: a bound on memory where every role differs."""


def role_to_dict(role: RoleReport) -> dict[str, object]:
    """Return one entry of the report's ``roles`` as JSON values."""
    return {
        "arn": role.arn,
        "name": role.name,
        "projects": [project_to_dict(project) for project in role.projects],
        "verdict": role.verdict,
        "certainty": role.certainty,
        "reason": role.reason,
        "notes": list(role.notes),
        "findings": [_finding(finding) for finding in role.findings],
        "suppressed": [_suppressed(one) for one in role.suppressed],
        "closed": None if role.closed is None else _closed(role.closed),
    }


def timestamp(moment: datetime) -> str:
    """Return an aware datetime as ``2026-11-23T03:00:00Z``, in whole seconds."""
    return moment.astimezone(UTC).replace(microsecond=0, tzinfo=None).isoformat() + "Z"


def exception_to_dict(exception: RoleException) -> dict[str, object]:
    """Return an exception as JSON values."""
    return {
        "role": exception.role,
        "rule": exception.rule,
        "reason": exception.reason,
        "owner": exception.owner,
        "expires": exception.expires.isoformat(),
    }


def project_to_dict(project: Project) -> dict[str, object]:
    """Return a CodeBuild project as JSON values."""
    return {"name": project.name, "region": project.region, "arn": project.arn}


def _finding(finding: Finding) -> dict[str, object]:
    return {
        "id": finding.id,
        "rule": finding.rule,
        "severity": finding.severity,
        "certainty": finding.certainty,
        "title": finding.title,
        "witness": None if finding.witness is None else _witness(finding.witness),
        "statements": [_statement(ref) for ref in finding.statements],
        "remediation": finding.remediation,
        **_asked_for(finding),
    }


def _suppressed(one: Suppressed) -> dict[str, object]:
    return {**_finding(one.finding), "exception": exception_to_dict(one.exception)}


def _asked_for(finding: Finding) -> dict[str, object]:
    """Return AWS's own answer about the witness, and the life; no field that nobody asked for."""
    values: dict[str, object] = {}
    if finding.confirmation is not None:
        found = finding.confirmation
        values["confirmation"] = {
            "outcome": found.outcome,
            "decision": found.decision,
            "message": found.message,
        }
    if finding.life is not None:
        values["life"] = {
            "status": finding.life.status,
            "first_seen": timestamp(finding.life.first_seen),
            "last_seen": timestamp(finding.life.last_seen),
        }
    return values


def _witness(witness: Witness) -> dict[str, object]:
    """``resource`` is the first; ``resources`` lists all where the call is checked on several."""
    return {
        "action": witness.action,
        "resource": witness.resources[0],
        **({"resources": list(witness.resources)} if len(witness.resources) > 1 else {}),
        "context": {
            key: _context_value(key, witness.context[key])
            # recipients first, the rest by name: two scans print the same bytes
            for key in sorted(witness.context, key=lambda k: (k.lower() != _RECIPIENTS, k))
        },
    }


def _context_value(key: str, value: str | tuple[str, ...]) -> str | list[str]:
    if isinstance(value, str):
        return [value] if key.lower() == _RECIPIENTS else value
    return list(value)


def _statement(ref: StatementRef) -> dict[str, object]:
    owner = {} if ref.role is None else {"role": ref.role}
    return {
        "layer": ref.layer,
        "policy": ref.policy,
        "policy_arn": ref.policy_arn,
        "kind": ref.kind,
        "sid": ref.sid,
        "index": ref.index,
        "effect": ref.effect,
        **owner,
    }


def _closed(closed: Closed) -> dict[str, object]:
    return {
        "how": closed.how,
        "by": [
            {
                "layer": one.layer,
                "what": one.what,
                "statement": None if one.statement is None else _statement(one.statement),
            }
            for one in closed.by
        ],
        "more": closed.more,
    }


class RoleWriter:
    """Writes the roles of one report. Shared parts are told by identity, and kept with their text:
    a number that ``id`` gave stays one object's for as long as that lives.
    """

    def __init__(self) -> None:
        self._witnesses: dict[tuple[str, int, int], tuple[Witness, str]] = {}
        self._statements: dict[int, tuple[StatementRef, str]] = {}
        self._rules: dict[tuple[str, str, str], str] = {}
        self._remedies: dict[str, str] = {}
        self._closed: dict[int, tuple[Closed, str]] = {}

    def role(self, role: RoleReport) -> str:
        """Return ``json.dumps(role_to_dict(role))``."""
        projects = json.dumps(list(map(project_to_dict, role.projects))) if role.projects else "[]"
        notes = json.dumps(role.notes) if role.notes else "[]"
        certainty = "null" if role.certainty is None else quoted(role.certainty)
        reason = "null" if role.reason is None else quoted(role.reason)
        findings = ", ".join(map(self._finding, role.findings))
        suppressed = (
            json.dumps(list(map(_suppressed, role.suppressed))) if role.suppressed else "[]"
        )
        return (
            f'{{"arn": {quoted(role.arn)}, "name": {quoted(role.name)}, "projects": {projects}, '
            f'"verdict": {quoted(role.verdict)}, "certainty": {certainty}, "reason": {reason}, '
            f'"notes": {notes}, "findings": [{findings}], "suppressed": {suppressed}, '
            f'"closed": {"null" if role.closed is None else self._shut(role.closed)}}}'
        )

    def _shut(self, closed: Closed) -> str:
        known = self._closed.get(id(closed))
        if known is None:
            known = closed, json.dumps(_closed(closed))
            _keep(self._closed, id(closed), known)
        return known[1]

    def _finding(self, finding: Finding) -> str:
        rule = (finding.rule, finding.severity, finding.certainty)
        told = self._rules.get(rule)
        if told is None:
            told = self._rules[rule] = (
                f'"rule": {quoted(finding.rule)}, "severity": {quoted(finding.severity)}, '
                f'"certainty": {quoted(finding.certainty)}'
            )
        remedy = self._remedies.get(finding.remediation)
        if remedy is None:
            remedy = quoted(finding.remediation)
            _keep(self._remedies, finding.remediation, remedy)
        statements = ", ".join(map(self._statement, finding.statements))
        asked = finding.confirmation is not None or finding.life is not None
        more = f", {json.dumps(_asked_for(finding))[1:-1]}" if asked else ""
        return (
            f'{{"id": {quoted(finding.id)}, {told}, "title": {quoted(finding.title)}, '
            f'"witness": {self._witness(finding.witness)}, "statements": [{statements}], '
            f'"remediation": {remedy}{more}}}'
        )

    def _witness(self, witness: Witness | None) -> str:
        if witness is None:
            return "null"
        if not witness.context and len(witness.resources) == 1:
            action, resource = quoted(witness.action), quoted(witness.resources[0])
            return f'{{"action": {action}, "resource": {resource}, "context": {{}}}}'
        key = (witness.action, id(witness.resources), id(witness.context))
        known = self._witnesses.get(key)
        if known is None:
            known = witness, json.dumps(_witness(witness))
            _keep(self._witnesses, key, known)
        return known[1]

    def _statement(self, ref: StatementRef) -> str:
        known = self._statements.get(id(ref))
        if known is None:
            known = ref, json.dumps(_statement(ref))
            _keep(self._statements, id(ref), known)
        return known[1]


def _keep(known: dict[_K, _V], key: _K, value: _V) -> None:
    """Remember a text; with one too many, all before it are forgotten."""
    if len(known) >= REMEMBERED:
        known.clear()
    known[key] = value
