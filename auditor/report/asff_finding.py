"""One finding of the AWS Security Finding Format, within Security Hub's limits.

https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_AwsSecurityFinding.html has the limits.
Security Hub refuses a finding that breaks one, so longer texts are cut, and say so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from auditor import __version__
from auditor.report.facts import bounded, not_evaluated_words
from auditor.report.json import timestamp
from auditor.report.rulebook import RULEBOOK
from auditor.report.words import limited_words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from auditor.findings import Report, Severity

IDENTIFIER: Final = 512
RESOURCES: Final = 10  # 32 are allowed; so many with the longest names stay under 240 KB

# Two levels of AWS's taxonomy:
# https://docs.aws.amazon.com/securityhub/latest/userguide/securityhub-findings-format-type-taxonomy.html
_TYPE: Final = "Software and Configuration Checks/AWS Security Best Practices"
_LABELS: Final[dict[Severity, str]] = {
    "high": "HIGH",
    "medium": "MEDIUM",
    "low": "LOW",
    "info": "INFORMATIONAL",
}
_TITLE: Final = 256
_DESCRIPTION: Final = 1_024
_RECOMMENDATION: Final = 512
_REGION: Final = 16
_NOTE: Final = 512
_FIELD: Final = 1_024  # 2,048 are allowed: half keeps a finding of long texts under 240 KB
_PARTITIONS: Final = {"cn-": "aws-cn", "us-gov-": "aws-us-gov"}


class Maker:
    """Makes findings: knows what all findings of one report have in common."""

    def __init__(self, report: Report, region: str) -> None:
        self.account = bounded(report.account_id, 12)
        self.when = timestamp(report.generated_at)
        self.region = region
        self.partition = next((p for s, p in _PARTITIONS.items() if region.startswith(s)), "aws")
        self._gaps = "; ".join(not_evaluated_words(report))
        self._limits = "; ".join(limited_words(report))

    def finding(
        self,
        identifier: str,
        rule: str,
        severity: Severity,
        texts: tuple[str, str, str],
        resources: list[dict[str, object]],
        fields: Mapping[str, str],
        status: str,
    ) -> dict[str, object]:
        """Return one finding. ``texts`` are its title, description and recommendation."""
        title, description, recommendation = texts
        label = {"Label": _LABELS[severity], "Original": severity}
        product = f"product/{self.account}/default"
        arn = f"arn:{self.partition}:securityhub:{self.region}:{self.account}:{product}"
        more = {**fields, "NotEvaluated": self._gaps, "Limits": self._limits}
        return {
            "SchemaVersion": "2018-10-08",
            "Id": bounded(f"auditor/{self.account}/{identifier}", IDENTIFIER),
            "ProductArn": arn,
            "ProductName": "auditor",
            "GeneratorId": f"auditor/{rule}",
            "AwsAccountId": self.account,
            "Types": [_TYPE],
            "CreatedAt": self.when,
            "UpdatedAt": self.when,
            "Severity": label,
            # what later imports of the same finding are heard on
            "FindingProviderFields": {"Severity": label, "Types": [_TYPE]},
            "Title": bounded(title, _TITLE),
            "Description": bounded(description, _DESCRIPTION),
            "Remediation": {
                "Recommendation": {
                    "Text": bounded(recommendation, _RECOMMENDATION),
                    "Url": RULEBOOK[rule].url,
                }
            },
            "ProductFields": {
                "auditor/Version": __version__,
                **{f"auditor/{k}": bounded(v, _FIELD) for k, v in more.items() if v.strip()},
            },
            "Resources": resources,
            "Compliance": {"Status": status},
            "Workflow": {"Status": "NEW"},
            "RecordState": "ACTIVE",
        }

    def suppressed(self, identifier: str, why: str) -> dict[str, object]:
        """Return what a finding has in another way where an exception covers it.

        Security Hub takes a note and a workflow's status when a finding is first imported, and
        leaves them to its users from then on. So it has an ``Id`` of its own: under the usual one
        it would stay suppressed when the exception has ended, and an open role be hidden.
        https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_BatchImportFindings.html
        """
        text = bounded(why, _NOTE)
        return {
            "Id": bounded(f"auditor/{self.account}/{identifier}/excepted", IDENTIFIER),
            "Workflow": {"Status": "SUPPRESSED"},
            "Note": {"Text": text, "UpdatedBy": "auditor", "UpdatedAt": self.when},
        }

    def resource(self, kind: str, identifier: str, region: str) -> dict[str, object]:
        """Return a resource without details."""
        found: dict[str, object] = {
            "Type": kind,
            "Id": bounded(identifier, IDENTIFIER),
            "Partition": self.partition,
        }
        return found | ({"Region": region} if 0 < len(region) <= _REGION else {})
