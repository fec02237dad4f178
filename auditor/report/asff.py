"""The report as findings of the AWS Security Finding Format, as BatchImportFindings takes them.

https://docs.aws.amazon.com/securityhub/latest/userguide/securityhub-findings-format-syntax.html
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from auditor.report.asff_finding import IDENTIFIER, RESOURCES, Maker
from auditor.report.facts import (
    bounded,
    errors_sentence,
    findings_with_values,
    joined,
    recipients,
    request_sentence,
    sentence,
    stable_id,
    statements_words,
    suppressed_with_values,
    witness_json,
)
from auditor.report.interface import PLAIN
from auditor.report.past import excepted_by
from auditor.report.rulebook import INCOMPLETE, RULEBOOK, UNAUDITED_PROJECT, UNDETERMINED

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from auditor.findings import Finding, Report, RoleReport
    from auditor.report.interface import Look

HOME_REGIONS: Final = {
    "aws": "us-east-1",
    "aws-cn": "cn-north-1",
    "aws-us-gov": "us-gov-west-1",
}
"""By partition, where IAM itself is at home; a product's ARN needs some region."""

_MORE_EXPOSURE: Final = {"scps"}
"""What a source may lack and still tell that a finding is over: it could only deny more."""


def render(report: Report, look: Look = PLAIN) -> str:  # noqa: ARG001 - every format takes a look
    """Return the findings as a JSON list in ASCII, a finding a line, for the partition's home."""
    found = asff_findings(report, region=HOME_REGIONS[_partition(report)])
    lines = ",\n".join(map(json.dumps, found))
    return f"[\n{lines}\n]\n" if found else "[]\n"


def asff_findings(
    report: Report, *, region: str, archived: Iterable[Mapping[str, object]] = ()
) -> list[dict[str, object]]:
    """Return the report's findings for Security Hub, then those of before that are over.

    :param region: where they will be imported; it stands in the product's ARN.
    :param archived: findings of earlier reports, as this function returned them. Those that this
        report refutes come back with the record state ``ARCHIVED``. What may only be hidden is
        left alone: by an audit of some roles, an incomplete one, by a source without projects or
        identity policies, by a role that is undetermined or of which something could not be read.

    An incomplete audit, undetermined roles and projects whose role wasn't audited are findings too.
    """
    about = Maker(report, region)
    found = list(_findings(report, about))
    roles = {bounded(role.arn, IDENTIFIER): role for role in report.roles}
    active = {finding["Id"] for finding in found}
    over = [
        {**finding, "RecordState": "ARCHIVED", "UpdatedAt": about.when}
        for finding in archived
        if finding["Id"] not in active and _over(report, finding, roles)
    ]
    return found + over


def _findings(report: Report, about: Maker) -> Iterator[dict[str, object]]:
    if not report.complete:
        yield _incomplete(report, about)
    for role in report.roles:
        for finding, values in findings_with_values(role):
            yield _of_finding(about, role, finding, witness_json(values))
        for one, values in suppressed_with_values(role):
            covered = _of_finding(about, role, one.finding, witness_json(values))
            why = excepted_by(one.exception)
            yield {**covered, **about.suppressed(one.finding.id, why)}
        if role.verdict == "undetermined":
            yield _undetermined(about, role)
    yield from _unaudited(report, about)


def _of_finding(
    about: Maker, role: RoleReport, finding: Finding, witness: str
) -> dict[str, object]:
    exposing = role.verdict == "exposed" and finding.severity in ("high", "medium")
    description = [sentence(finding.title)]
    fields = {
        "FindingId": finding.id,
        "Verdict": role.verdict,
        "Certainty": finding.certainty,
        "Statements": statements_words(finding),
        "Notes": joined(role.notes, "; "),
        "Projects": f"{len(role.projects):,}",
    }
    if finding.witness is not None:
        description.append(f"The request: {request_sentence(finding.witness)}.")
        fields |= {
            "Action": finding.witness.action,
            "Recipients": joined(recipients(finding.witness)),
            "Witness": witness,
        }
    if finding.confirmation is not None:
        said = finding.confirmation
        fields["Confirmation"] = f"{said.outcome}: {said.message}"
    return about.finding(
        finding.id,
        finding.rule,
        finding.severity,
        (finding.title, " ".join(description), finding.remediation),
        _role(about, role),
        fields,
        "FAILED" if exposing else "WARNING",
    )


def _undetermined(about: Maker, role: RoleReport) -> dict[str, object]:
    told = RULEBOOK[UNDETERMINED]
    return about.finding(
        stable_id(role.arn, UNDETERMINED),
        UNDETERMINED,
        told.severity,
        (
            f"{role.name} could not be decided",
            f"{told.title} The reason: {role.reason}",
            told.remedy,
        ),
        _role(about, role),
        {"Verdict": role.verdict, "Reason": role.reason or ""},
        "WARNING",
    )


def _incomplete(report: Report, about: Maker) -> dict[str, object]:
    told = RULEBOOK[INCOMPLETE]
    what = errors_sentence(report)
    return about.finding(
        INCOMPLETE,
        INCOMPLETE,
        told.severity,
        (told.title, f"{told.title} {what}", told.remedy),
        [about.resource("AwsAccount", f"AWS::::Account:{about.account}", about.region)],
        {"Errors": what},
        "WARNING",
    )


def _unaudited(report: Report, about: Maker) -> Iterator[dict[str, object]]:
    told = RULEBOOK[UNAUDITED_PROJECT]
    for project, arn, reason in report.unresolved_projects:
        yield about.finding(
            stable_id(project.arn, arn, UNAUDITED_PROJECT),
            UNAUDITED_PROJECT,
            told.severity,
            (
                f"The role of the project {project.name} was not audited",
                f"{told.title} {project.name} ({project.region}), role {arn}: {reason}",
                told.remedy,
            ),
            [about.resource("AwsCodeBuildProject", project.arn, project.region)],
            {"RoleArn": arn},
            "WARNING",
        )


def _role(about: Maker, role: RoleReport) -> list[dict[str, object]]:
    """Return the role, then the projects that use it, as many as there is room for."""
    found = about.resource("AwsIamRole", role.arn, about.region)
    found["Details"] = {"AwsIamRole": {"RoleName": bounded(role.name, IDENTIFIER)}}
    used = role.projects[: RESOURCES - 1]
    projects = [about.resource("AwsCodeBuildProject", one.arn, one.region) for one in used]
    return [found, *projects]


def _partition(report: Report) -> str:
    """Return the partition of the first ARN that names a known one; ``aws`` without any."""
    arns = (*(r.arn for r in report.roles), *(u.project.arn for u in report.unresolved_projects))
    named = (arn.split(":", 2)[1] for arn in arns if arn.startswith("arn:"))
    return next((each for each in named if each in HOME_REGIONS), "aws")


def _over(report: Report, finding: Mapping[str, object], roles: Mapping[str, RoleReport]) -> bool:
    """Tell whether this report shows that an earlier finding no longer holds."""
    if report.limits is not None and report.limits.roles:
        return False  # a role that isn't here may just have been left out
    if not report.complete or set(report.not_evaluated) - _MORE_EXPOSURE:
        return False
    resources = finding["Resources"]
    assert isinstance(resources, list)  # noqa: S101 - as this module wrote it
    role = roles.get(resources[0]["Id"])
    return role is None or (role.verdict != "undetermined" and not role.notes)
