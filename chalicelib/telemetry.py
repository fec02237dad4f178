"""The one logger and the one metrics store of all functions, and what is written to them.

No policy text, context value or event is ever logged: a policy can hold anything. The names of
roles and the ids of findings are, so that nothing is lost where a message can't be delivered.
Secrets are taken out here once more, of every line and of every error that leaves a function,
whoever wrote them.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from auditor.text import without_secrets

if TYPE_CHECKING:
    from collections.abc import Callable

    from auditor.findings import Report, RoleReport

SERVICE = "auditor"
NAMESPACE = "Auditor"

# Verdicts that a person has to look at: one log line for each role that has one.
LOUD_VERDICTS = frozenset({"exposed", "undetermined"})


def line(log: dict[str, Any]) -> str:
    """Return a log line as JSON, without secrets."""
    return json.dumps(_bare(log), default=lambda value: without_secrets(str(value)))


def _bare(value: object) -> object:
    if isinstance(value, str):
        return without_secrets(value)
    if isinstance(value, dict):
        return {key: _bare(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_bare(one) for one in value]
    return value


logger = Logger(service=SERVICE, json_serializer=line)
metrics = Metrics(namespace=NAMESPACE, service=SERVICE)


def hide_secrets(event: Any, respond: Callable[[Any], Any]) -> Any:
    """Run a function, and take the secrets out of the error that ends it: a Chalice middleware.

    Lambda logs an error's text, and replies with it:
    https://docs.aws.amazon.com/lambda/latest/dg/python-exceptions.html
    """
    try:
        return respond(event)
    except Exception as error:
        _hide(error)
        raise


def _hide(error: BaseException) -> None:
    chain: BaseException | None = error
    seen: set[int] = set()
    while chain is not None and id(chain) not in seen:
        seen.add(id(chain))
        chain.args = tuple(_bare(one) if isinstance(one, str) else one for one in chain.args)
        # Some libraries' errors keep their words beside ``args``.
        for name, value in vars(chain).items():
            if isinstance(value, str):
                setattr(chain, name, without_secrets(value))
        chain = chain.__cause__ or chain.__context__


def record(report: Report, duration_ms: float, *, whole: bool) -> None:
    """Put the metrics of one audit (sent in EMF when the function ends) and log its outcome.

    Roles that somebody answers for count as ``Excepted``, and not as ``Exposed``, as in the
    report's own summary.

    :param report: with the exceptions applied.
    :param whole: not limited to some roles: only then its roles are counted, for a trend.
    """
    counts = {
        "RolesAudited": len(report.roles),
        "Exposed": report.count("exposed"),
        "Excepted": sum(role.accepted() for role in report.roles),
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
            "excepted": role.accepted(),
            "findings": [{"id": item.id, "rule": item.rule} for item in role.findings],
        },
    )
