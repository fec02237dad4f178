"""Report -> the message that SNS carries: pure, and never over SNS's limit.

SNS takes one JSON object with a text for each protocol (``MessageStructure: json``):
https://docs.aws.amazon.com/sns/latest/dg/sns-send-custom-platform-specific-payloads-mobile-devices.html
"""

from __future__ import annotations

import json
from datetime import UTC
from typing import TYPE_CHECKING, Any, NamedTuple

from auditor.findings import SCHEMA_VERSION, SEVERITIES
from auditor.notify import excepted, facts
from auditor.notify.email import cost, email_text
from auditor.notify.facts import clean
from auditor.notify.headline import headline, is_blind
from auditor.notify.interface import is_open, worst_first

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

    from auditor.life import Known
    from auditor.notify.interface import News, RoleRenderer

# A message with its attributes: https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
MAX_BYTES = 262_144
# "less than 100 characters long", printable ASCII: same page, Subject
MAX_SUBJECT = 99
# Protocols that machines read each get a copy of the same JSON body.
MACHINES = ("sqs", "lambda", "http", "https")

_EMAIL_BYTES = 32 * 1024  # a mail that anyone reads is far shorter
_HEAD_BYTES = 4 * 1024  # of errors and of unresolved projects in the body, each
_CHANGES_BYTES = 16 * 1024  # of changes in the body
_FIRST = {
    "all-clear": "all clear",
    "digest": "still open",
    "reading": "what could be read changed",
    "exceptions": "exceptions to look at",
}
_SMALLEST = 150  # bytes; no role's JSON is shorter, so with less left none need be tried


class SnsMessage(NamedTuple):
    """What ``publish`` hands over. ``attributes`` are (data type, value) by name.

    ``texts``: ``message`` is a JSON object with a text for each protocol.
    """

    subject: str
    message: str
    attributes: Mapping[str, tuple[str, str]]
    texts: bool = True

    def size(self) -> int:
        """Return the bytes that count against SNS's limit, the subject included to be safe."""
        attributes = (part for name, pair in self.attributes.items() for part in (name, *pair))
        return sum(len(text.encode()) for text in (self.subject, self.message, *attributes))


def make_message(news: News, render_role: RoleRenderer) -> SnsMessage:
    """Return the message about an audit; at most ``MAX_BYTES``, whatever its report holds.

    :param render_role: returns a role as JSON values; called for the roles that may fit.
    """
    report = news.report
    subject, attributes = _subject(news), _attributes(news)
    first = f"{lead}; " if (lead := facts.lead(news)) else ""
    account = clean(report.account_id, 40)
    texts = {
        "default": f"auditor, account {account}: {first}{headline(news)}.",
        "email": email_text(news, _EMAIL_BYTES),
    }
    frame = SnsMessage(subject, _dumps(texts | dict.fromkeys(MACHINES, "")), attributes)
    body = _body(news, render_role, (MAX_BYTES - frame.size()) // len(MACHINES))
    return frame._replace(message=_dumps(texts | dict.fromkeys(MACHINES, body)))


def _dumps(value: object) -> str:
    # ASCII: a lone surrogate in a name has no UTF-8, and escaped it survives.
    return json.dumps(value, ensure_ascii=True, separators=(",", ":"))


def _subject(news: News) -> str:
    report = news.report
    exposed, undecided = report.count("exposed"), report.count("undetermined")
    changed = facts.change_words(news.changes)
    first = _FIRST.get(news.occasion, changed)
    if news.occasion == "digest" and not (is_open(report) or news.unseen):
        first = "still incomplete"
    if news.occasion == "reading" and news.reading == "left":
        first = "a role left CodeBuild"
    found = "no role read" if is_blind(report) else f"{exposed} exposed"
    parts = [f"{first}; {found}" if first else found]
    if news.unseen:
        parts.append(f"{len(news.unseen)} not looked at")
    if undecided:
        parts.append(f"{undecided} undetermined")
    if not report.complete:
        parts.append("INCOMPLETE")
    account = "".join(c if "!" <= c <= "~" else "?" for c in report.account_id)
    whose = account if first else f"CodeBuild roles of {account}"
    return f"auditor: {', '.join(parts)}; {whose}"[:MAX_SUBJECT]


def _attributes(news: News) -> dict[str, tuple[str, str]]:
    """Return what subscriptions can filter on. At most ten: raw delivery to SQS drops more.

    https://docs.aws.amazon.com/sns/latest/dg/sns-message-attributes.html
    """
    report = news.report
    found = {finding.severity for role in report.roles for finding in role.findings}
    found.update(one.severity for one in news.changes.worse)  # an exception may cover these
    counts = facts.change_counts(news.changes)
    worst = next((severity for severity in SEVERITIES if severity in found), "none")
    return {
        "worst_severity": ("String", worst),
        "exposed": ("Number", str(report.count("exposed"))),
        "proven": ("Number", str(report.count("exposed", "proven"))),
        "undetermined": ("Number", str(report.count("undetermined"))),
        "complete": ("String", "true" if report.complete else "false"),
        "account_id": ("String", clean(report.account_id, 40) or "unknown"),
        "occasion": ("String", news.occasion),
        "new": ("Number", str(counts["new"])),
        "reopened": ("Number", str(counts["reopened"])),
        "resolved": ("Number", str(counts["resolved"])),
    }


def _body(news: News, render_role: RoleRenderer, budget: int) -> str:
    """Return the JSON for machines, at most ``budget`` bytes once it is escaped in the message."""
    report, remedy = news.report, news.remedy
    told = facts.changed_first(worst_first(report), news.changes)
    changes = [_change(one) | {"change": kind} for kind, one in facts.change_lines(news.changes)]
    some_changes = list(_fitting(changes, _CHANGES_BYTES))
    unseen = list(_fitting(map(_change, news.unseen), _HEAD_BYTES))
    errors = [{"where": e.where, "message": e.message} for e in report.errors]
    unresolved = [
        {
            "name": u.project.name,
            "region": u.project.region,
            "arn": u.project.arn,
            "role_arn": u.role_arn,
            "reason": u.reason,
        }
        for u in report.unresolved_projects
    ]
    notices = [notice.values() for notice in excepted.notices(report)]
    some_notices = list(_fitting(notices, _HEAD_BYTES))
    some_errors = list(_fitting(errors, _HEAD_BYTES))
    some_unresolved = list(_fitting(unresolved, _HEAD_BYTES))
    omitted = {
        "exposed": report.count("exposed"),
        "undetermined": report.count("undetermined"),
        "errors": len(errors) - len(some_errors),
        "unresolved_projects": len(unresolved) - len(some_unresolved),
        "changes": len(changes) - len(some_changes),
        "unseen": len(news.unseen) - len(unseen),
        "exceptions": len(notices) - len(some_notices),
    }
    body: dict[str, object] = {
        "schema_version": SCHEMA_VERSION,
        "generated_at": _stamp(report.generated_at),
        "account_id": clean(report.account_id, 40),
        "complete": report.complete,
        "id": news.id,
        "occasion": news.occasion,
        "changes": some_changes,
        "unseen": unseen,
        "exceptions": some_notices,
        "stored": clean(news.stored or "", 1_100),
        "summary": report.summary(),
        "roles": [],
        "reach": clean(report.reach() or ""),
        "not_evaluated": [clean(gap, 60) for gap in report.not_evaluated[:10]],
        "errors": some_errors,
        "unresolved_projects": some_unresolved,
        "omitted": omitted,
    }
    if remedy is not None:
        body["remediation"] = next(
            _fitting([remedy.data], _HEAD_BYTES), {"lines": remedy.lines[:1]}
        )
    # The counts of what is left out can only shrink, so the frame is at its longest here.
    roles = list(_fitting(map(render_role, told), budget - cost(_dumps(body))))
    for role in roles:
        omitted[str(role["verdict"])] -= 1
    return _dumps(body | {"roles": roles})


def _change(one: Known) -> dict[str, Any]:
    """Return a finding that changed; only its title may be long.

    ``certainty`` is null where an earlier version took the finding down. ``was`` is how grave one
    was that got worse or less grave.
    """
    was = {} if one.was is None else {"was": one.was._asdict()}
    return was | {
        "finding_id": one.id,
        "role_arn": one.role_arn,
        "rule": one.rule,
        "action": one.action,
        "severity": one.severity,
        "certainty": one.certainty,
        "status": one.status,
        "title": clean(one.title),
        "first_seen": _stamp(one.first_seen),
        "last_seen": _stamp(one.last_seen),
    }


def _stamp(moment: datetime) -> str:
    return f"{moment.astimezone(UTC).replace(microsecond=0, tzinfo=None).isoformat()}Z"


def _fitting(values: Iterable[dict[str, Any]], budget: int) -> Iterator[dict[str, Any]]:
    """Yield the values that fit together, in order; one too long is passed over for later ones."""
    for value in values:
        needed = cost(_dumps(value)) + 1  # and its comma
        if needed <= budget:
            budget -= needed
            yield value
        if budget < _SMALLEST:
            return
