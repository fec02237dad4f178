"""Run as ``python -I -S isolated_nightly.py UNPACKED RUNTIME``: audit_nightly by itself."""

import json
import sys
from types import SimpleNamespace

unpacked, runtime = sys.argv[1:]
sys.path[:0] = [unpacked]
sys.path.append(runtime)

import app  # noqa: E402 - the path is set first

event = {
    "version": "0",
    "id": "1",
    "detail-type": "Scheduled Event",
    "source": "aws.events",
    "account": "123456789012",
    "time": "2026-11-23T03:00:00Z",
    "region": "eu-west-1",
    "resources": [],
    "detail": {},
}
context = SimpleNamespace(
    function_name="audit-nightly",
    memory_limit_in_mb=1769,
    invoked_function_arn="arn:aws:lambda:eu-west-1:123456789012:function:audit-nightly",
    aws_request_id="1",
    get_remaining_time_in_millis=lambda: 900_000,
)
reply = app.audit_nightly(event, context)
print("reply " + json.dumps({"file": app.__file__, **reply}))  # noqa: T201 - the test reads it
