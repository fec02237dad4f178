"""SARIF's results: one for each finding, and for each thing that could not be audited.

Where a result stands: code scanning wants a path in a repository, and tells alerts apart by path
and fingerprint. A role is no file, so its path is made of its ARN (``iam/123456789012/role/web``):
the same in every scan, and readable. The ARN itself is the logical location.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import quote

from auditor.report.facts import (
    bounded,
    errors_sentence,
    findings_with_values,
    request_sentence,
    sentence,
    stable_id,
    statements_words,
    suppressed_with_values,
)
from auditor.report.past import excepted_by
from auditor.report.rulebook import INCOMPLETE, RULEBOOK, UNAUDITED_PROJECT, UNDETERMINED
from auditor.text import visible

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from auditor.account import UnresolvedProject
    from auditor.findings import Finding, Report, RoleReport, Severity
    from auditor.lasting import LifeStatus, RoleException

LEVELS: Final[dict[Severity, str]] = {
    "high": "error",
    "medium": "warning",
    "low": "note",
    "info": "note",
}
MOST: Final = 25_000
"""GitHub refuses a run of more results. Of these it shows the 5,000 gravest."""

_RULES: Final = {rule: number for number, rule in enumerate(RULEBOOK)}
_GRAVITY: Final = {"high": 0, "medium": 1, "low": 2, "info": 3}
_PLACEHOLDER: Final = re.compile(r"\{(?=\d)")
_PROPERTIES: Final = ("severity", "certainty", "witness", "statements", "confirmation")
_STATES: Final[dict[LifeStatus, str]] = {
    "new": "new",
    "open": "unchanged",
    "reopened": "updated",
    "suppressed": "unchanged",
    "worse": "updated",
}
_LONGEST: Final = 8_192  # characters of a message; a request and its statements take some hundred


class _Place(NamedTuple):
    """What a result is about: its path, its name and its ARN (or what stands for one)."""

    path: str
    name: str
    arn: str


def results(report: Report) -> list[dict[str, object]]:
    """Return the results, gravest first, at most ``MOST``; the last tells what was left out.

    What an exception covers comes after all that none does. What is resolved has no result: code
    scanning knows no baseline, and would show it as an open alert.
    """

    def order(pair: tuple[Severity, dict[str, object]]) -> tuple[bool, int]:
        severity, result = pair
        return "suppressions" in result, _GRAVITY[severity]

    found = sorted(_all(report), key=order)
    left_out = len(found) - MOST
    if left_out > 0:
        text = f"{left_out + 1:,} results are left out of this file: the JSON report has them all."
        found = [*found[: MOST - 1], _of_account(report, text, "left-out")]
    # Each on all results or on none (section 3.27.23 has it so for suppressions). A baseline knows
    # findings alone, so what could not be looked at is new each time.
    same: dict[str, object] = {} if report.resolved is None else {"baselineState": "new"}
    if report.exceptions is not None:
        same["suppressions"] = []
    return [{**same, **result} for _, result in found]


def message(text: str) -> str:
    """Return a text for SARIF's messages, where it stands for itself.

    Sections 3.11.5 and 3.11.6 of the standard: ``{0}`` is a placeholder, ``[text](place)`` a link.
    Other braces stay as they are. The standard wants them doubled, but GitHub and others would show
    them so, and who copies a condition out of a message would get a broken policy.
    """
    return _PLACEHOLDER.sub("{ ", bounded(text, _LONGEST)).replace("](", "] (")


def _all(report: Report) -> Iterator[tuple[Severity, dict[str, object]]]:
    if not report.complete:
        text = f"{RULEBOOK[INCOMPLETE].title} {errors_sentence(report)}"
        yield _of_account(report, text, INCOMPLETE)
    for role in report.roles:
        place = _Place(_path(role.arn), role.name, role.arn)
        for finding, values in findings_with_values(role):
            yield finding.severity, _of_finding(place, role, finding, values)
        for one, values in suppressed_with_values(role):
            result = _of_finding(place, role, one.finding, values)
            yield one.finding.severity, {**result, "suppressions": [_suppression(one.exception)]}
        if role.verdict == "undetermined":
            text = f"{visible(role.name)} could not be decided, so it must not count as safe: "
            yield _told(UNDETERMINED, f"{text}{role.reason}", place)
    for unresolved in report.unresolved_projects:
        yield _unaudited(unresolved)


def _of_finding(
    place: _Place, role: RoleReport, finding: Finding, values: Mapping[str, object]
) -> dict[str, object]:
    text = [sentence(finding.title)]
    if finding.witness is not None:
        text.append(f"The request: {request_sentence(finding.witness)}.")
    if finding.statements:
        text.append(f"The statements: {statements_words(finding)}.")
    text.append(f"What to do: {finding.remediation}")
    properties = {
        "verdict": role.verdict,
        "notes": list(role.notes),
        "projects": [project.arn for project in role.projects],
        **{name: values[name] for name in _PROPERTIES if name in values},
    }
    result = _result(
        finding.rule, finding.severity, " ".join(text), place, finding.id, _shown(properties)
    )
    if finding.life is not None:
        result["baselineState"] = _STATES[finding.life.status]
    return result


def _suppression(one: RoleException) -> dict[str, object]:
    """Return an exception as section 3.35 has it: external, as it stands in no source file."""
    return {
        "kind": "external",
        "status": "accepted",
        "justification": message(excepted_by(one)),
    }


def _shown(value: object) -> object:
    """Return JSON values with every text visible: readers refuse lone surrogates."""
    if isinstance(value, dict):
        return {visible(key): _shown(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_shown(each) for each in value]
    return visible(value) if isinstance(value, str) else value


def _of_account(report: Report, text: str, kind: str) -> tuple[Severity, dict[str, object]]:
    account = report.account_id
    place = _Place(f"iam/{_quoted(account)}", f"account {account}", account)
    return _told(INCOMPLETE, text, place, kind)


def _unaudited(unresolved: UnresolvedProject) -> tuple[Severity, dict[str, object]]:
    project, arn, reason = unresolved
    text = f"The role of the project {project.name} ({project.region}) was not audited: "
    place = _Place(_path(project.arn), project.name, project.arn)
    return _told(UNAUDITED_PROJECT, f"{text}{arn}: {reason}", place, arn)


def _told(rule: str, text: str, place: _Place, *parts: str) -> tuple[Severity, dict[str, object]]:
    """Return a result of one of the report's own rules."""
    severity = RULEBOOK[rule].severity
    return severity, _result(rule, severity, text, place, stable_id(place.arn, rule, *parts), {})


def _result(
    rule: str,
    severity: Severity,
    text: str,
    place: _Place,
    fingerprint: str,
    properties: object,
) -> dict[str, object]:
    # one line, one column: required, though there is no text to point into
    region = {"startLine": 1, "startColumn": 1, "endLine": 1, "endColumn": 1}
    return {
        "ruleId": rule,
        "ruleIndex": _RULES[rule],
        "level": LEVELS[severity],
        "message": {"text": message(text)},
        "locations": [
            {
                "physicalLocation": {"artifactLocation": {"uri": place.path}, "region": region},
                "logicalLocations": [
                    {
                        "name": visible(place.name),
                        "fullyQualifiedName": visible(place.arn),
                        "kind": "resource",
                    }
                ],
            }
        ],
        "partialFingerprints": {
            # the only one that GitHub looks at; a hash and how often it occurs
            "primaryLocationLineHash": f"{fingerprint}:1",
            "auditorFindingId/v1": fingerprint,
        },
        "properties": properties,
    }


def _path(arn: str) -> str:
    """Return ``iam/123456789012/role/web`` for a role, with the region for other resources."""
    parts = arn.split(":", 5)
    if len(parts) < 6 or parts[0] != "arn":
        return f"iam/{_quoted(arn)}"
    service, region, account, resource = parts[2:]
    return "/".join(
        _quoted(part) for part in (service, region, account, *resource.split("/")) if part
    )


def _quoted(part: str) -> str:
    """Return one step of a path; never ``.`` or ``..``, which would lead elsewhere."""
    quoted = quote(visible(part), safe="+=,@")
    return quoted if quoted.strip(".") else f"_{quoted}"
