"""The one logger and the one metrics store of both functions, and what is written to them.

No policy text, context value or event is ever logged: a policy can hold anything. The names of
roles and the ids of findings are, so that nothing is lost where a message can't be delivered.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

if TYPE_CHECKING:
    from auditor.findings import Report, RoleReport

SERVICE = "auditor"
NAMESPACE = "Auditor"

logger = Logger(service=SERVICE)
metrics = Metrics(namespace=NAMESPACE, service=SERVICE)

# Verdicts that a person has to look at: one log line for each role that has one.
LOUD_VERDICTS = frozenset({"exposed", "undetermined"})


def record(report: Report, duration_ms: float, *, whole: bool) -> None:
    """Put the metrics of one audit (sent in EMF when the function ends) and log its outcome.

    :param whole: not limited to some roles: only then its roles are counted, for a trend.
    """
    counts = {
        "RolesAudited": len(report.roles),
        "Exposed": report.count("exposed"),
        "Undetermined": report.count("undetermined"),
        "Incomplete": 0 if report.complete else 1,
    }
    count(**(counts if whole else {}), ApiCalls=sum(report.api_calls.values()))
    metrics.add_metric(name="DurationMs", unit=MetricUnit.Milliseconds, value=round(duration_ms))
    logger.info(
        "audit done",
        extra={
            "account_id": report.account_id,
            "complete": report.complete,
            "summary": report.summary(),
            "duration_ms": round(duration_ms),
        },
    )
    for failure in report.errors:
        logger.warning(
            "could not be read", extra={"where": failure.where, "error": failure.message}
        )
    for role in report.roles:
        if role.verdict in LOUD_VERDICTS:
            _log_role(role)


def count(**counts: int) -> None:
    """Put counts into the metrics."""
    for name, value in counts.items():
        metrics.add_metric(name=name, unit=MetricUnit.Count, value=value)


def _log_role(role: RoleReport) -> None:
    logger.warning(
        "role needs attention",
        extra={
            "role_arn": role.arn,
            "verdict": role.verdict,
            "certainty": role.certainty,
            "findings": [{"id": item.id, "rule": item.rule} for item in role.findings],
        },
    )
