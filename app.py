"""The Chalice app: which function runs when. Decorators only; the work is in ``chalicelib``."""

from __future__ import annotations

from typing import Any

from chalice.app import Chalice, ConvertToMiddleware

from chalicelib import nightly, now, remediation
from chalicelib.settings import schedule_expression
from chalicelib.telemetry import hide_secrets, logger, metrics

# configure_logs: Chalice's own handler would print each line a second time, its logger's name
# being the app's (https://aws.github.io/chalice/topics/logging.html).
app = Chalice(app_name="auditor", configure_logs=False)
app.register_middleware(hide_secrets)
app.register_middleware(ConvertToMiddleware(logger.inject_lambda_context(clear_state=True)))
app.register_middleware(ConvertToMiddleware(metrics.log_metrics))


@app.schedule(schedule_expression(), name="audit_nightly")
def audit_nightly(event: Any) -> dict[str, Any]:
    """Audit the account and tell the topic; run by EventBridge."""
    return nightly.run(event.context, event.event_id)


@app.lambda_function(name="audit_now")
def audit_now(event: object, _context: object) -> dict[str, Any]:
    """Audit the account now and reply with the JSON report; run by hand."""
    return now.run(event)


@app.lambda_function(name="remediate")
def remediate(event: object, context: object) -> dict[str, Any]:
    """Plan what closes exposed roles and, where the event says so, apply it or take it back."""
    return remediation.run(event, context)
