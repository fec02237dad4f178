"""A run as text, JSON or JUnit's XML. Pure: the same run gives the same text."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final, Literal
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from auditor import __version__
from auditor.smoke.scenarios import DOMAIN, OPERATIONS, OUTSIDE
from auditor.text import visible

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from auditor.smoke.result import Outcome, Run
    from auditor.smoke.trouble import Denial, Kind, Trouble

Form = Literal["text", "json", "junit"]

ADVICE: Final[dict[Kind, str]] = {
    "accepted": "attach the guard (auditor policy guard) now, then find out why: auditor explain",
    "credentials": "the credentials ran out or were taken back while the test ran: run it again",
    "denied": "IAM refused it and doesn't say why: the role needs the policy that this run printed,"
    " which is enough unless something denies it too ('auditor denial' explains AWS's message)",
    "event-missing": "check that the identity's or the configuration set's events of this type go"
    " to the queue, that the topic may write to it, and that --wait is long enough",
    "no-message-id": "something between here and AWS answers in its place, such as a proxy",
    "not-attempted": "this was not tried, so nothing is known of it: its message says why. A role"
    " that may not read its own policies needs --snapshot",
    "not-found": "name a configuration set or template that exists in this region",
    "open": "the role isn't closed: see auditor explain, and attach the guard (auditor policy"
    " guard)",
    "paused": "sending is switched off for the account or the configuration set: see its"
    " reputation page in the SES console",
    "queue-unreadable": "check the URL, and allow sqs:ReceiveMessage, sqs:DeleteMessage and"
    " sqs:ChangeMessageVisibility on the queue (and kms:Decrypt on its key)",
    "rejected": "AWS took the call and not the mail: its message says why",
    "sandbox": "IAM allowed this mail, and only SES's sandbox stopped it",
    "throttled": "AWS asked to slow down, eight times: run fewer tests at once, or later",
    "unexpected-event": "SES did something else with the mail than the simulator should",
    "unreachable": "AWS could not be reached: check --region, and the build's network",
    "unverified-identity": "verify the sender's address or domain in SES, in this region",
}
"""What to do about each kind of trouble."""


_DENIALS: Final[dict[Denial, str]] = {
    "deny": "an explicit deny refused it, and no policy that allows it helps against that: change"
    " the Deny ('auditor denial' explains AWS's message)",
    "layer": "a layer around the role refused it, and no policy of the role's own helps against"
    " that: let the layer that AWS names allow it ('auditor denial' explains AWS's message)",
    "role": "no policy of the role allows it: the policy that this run printed does",
    "untold": ADVICE["denied"],
}
"""What to do about mail that IAM refused."""


def advice(trouble: Trouble) -> str:
    """Return what to do about a trouble, in a sentence."""
    return _DENIALS[trouble.denial] if trouble.kind == "denied" else ADVICE[trouble.kind]


def text(run: Run) -> str:
    """Return the run as lines: one a check, then a summary and what to do."""
    return "".join(f"{line}\n" for line in _lines(run))


def _lines(run: Run) -> Iterator[str]:
    who = ""
    if run.caller is not None:
        name = f"role {run.caller.role}" if run.caller.role else run.caller.arn
        who = f", {name} of account {run.caller.account}"
    yield visible(f"from {run.sender} in {run.region}, label {run.label}{who}")
    yield ""
    width = max((len(one.via) for one in run.outcomes), default=0)
    for one in run.outcomes:
        mark = "ok  " if one.passed else "FAIL"
        kind = f"{one.trouble.kind}: " if one.trouble else ""
        yield visible(f"{mark}  {one.via:{width}}  {one.name:15}  {kind}{one.says}")
    yield ""
    yield summary(run)
    yield from (visible(f"note: {remark}") for remark in run.remarks)
    yield from dict.fromkeys(
        f"{one.trouble.kind}: {advice(one.trouble)}" for one in run.outcomes if one.trouble
    )
    if run.policy is not None:
        yield "The smallest policy for what no policy of the role allowed:"
        yield json.dumps(run.policy, indent=2)


def summary(run: Run) -> str:
    """Return one line: how many checks are as expected, and where mail went."""
    passed = sum(one.passed for one in run.outcomes)
    sent = [one.address for one in run.outcomes if one.message_id is not None]
    outside = sum(address == OUTSIDE for address in sent)
    inside = len(sent) - outside
    where = f"{inside} mail{'s' * (inside != 1)} went to {DOMAIN}, {outside or 'none'} elsewhere"
    queue = {
        "not asked": "events weren't listened for",
        "heard": f"{run.others} messages of other runs left in the queue",
        "unreadable": "the queue could not be read",
    }[run.listened]
    return f"{passed} of {len(run.outcomes)} as expected; {where}; {queue}."


def as_json(run: Run) -> str:
    """Return the run as a JSON object."""
    caller = run.caller
    return (
        json.dumps(
            {
                "schema_version": "1",
                "passed": run.passed,
                "label": run.label,
                "from": run.sender,
                "region": run.region,
                "account_id": caller.account if caller else None,
                "role": caller.role if caller else None,
                "started_at": _timestamp(run),
                "seconds": round(run.seconds, 3),
                "events": run.listened,
                "other_messages": run.others,
                "odd_messages": run.odd,
                "checks": [_check(one) for one in run.outcomes],
                "remarks": list(run.remarks),
                "policy": run.policy,
            },
            indent=2,
        )
        + "\n"
    )


def _check(one: Outcome) -> dict[str, object]:
    return {
        "name": one.name,
        "via": one.via,
        "operation": OPERATIONS[one.via],
        "recipient": one.address,
        "message_id": one.message_id,
        "passed": one.passed,
        "problem": one.trouble.kind if one.trouble else None,
        "message": one.says,
        "advice": advice(one.trouble) if one.trouble else None,
        "events": list(one.events),
    }


def junit(run: Run) -> str:
    """Return the run as JUnit's XML in ASCII: a suite, and a test case a check.

    What could not be checked is an error, not a skipped test: readers show those as harmless.
    https://docs.aws.amazon.com/codebuild/latest/userguide/test-report-prepare.html
    """
    failed = [one for one in run.outcomes if one.trouble]
    errors = sum(one.trouble is not None and one.trouble.kind == "not-attempted" for one in failed)
    counts = {
        "tests": str(len(run.outcomes)),
        "failures": str(len(failed) - errors),
        "errors": str(errors),
        "time": f"{run.seconds:.3f}",
    }
    suites = Element("testsuites", {"name": "auditor smoke", **counts})
    suite = SubElement(suites, "testsuite", {"name": "auditor smoke", "skipped": "0", **counts})
    suite.set("timestamp", _timestamp(run).removesuffix("Z"))
    properties = SubElement(suite, "properties")
    caller = run.caller
    for name, value in {
        "auditor.version": __version__,
        "label": run.label,
        "from": run.sender,
        "region": run.region,
        "role": caller.arn if caller else "",
        "events": run.listened,
    }.items():
        SubElement(properties, "property", name=name, value=visible(value))
    for one in run.outcomes:
        suite.append(_case(one))
    SubElement(suite, "system-out").text = "\n".join((summary(run), *map(visible, run.remarks)))
    indent(suites)
    body = tostring(suites, "us-ascii", xml_declaration=False).decode("ascii")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{body}\n'


def _case(one: Outcome) -> Element:
    # what one check took isn't measured, but readers want the attribute
    case = Element("testcase", classname=f"auditor.smoke.{one.via}", name=one.name, time="0")
    if one.trouble is None:
        SubElement(case, "system-out").text = visible(one.says)
        return case
    kind = one.trouble.kind
    tag = "error" if kind == "not-attempted" else "failure"
    found = SubElement(case, tag, type=kind, message=visible(one.says))
    found.text = f"{visible(one.address or 'no mail was sent')}: {advice(one.trouble)}"
    return case


def _timestamp(run: Run) -> str:
    return run.started.isoformat(timespec="seconds").replace("+00:00", "Z")


FORMS: Final[dict[Form, Callable[[Run], str]]] = {"text": text, "json": as_json, "junit": junit}
