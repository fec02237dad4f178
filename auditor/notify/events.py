"""Changes as events on an Amazon EventBridge bus, one an entry.

https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html
"""

from __future__ import annotations

import json
from datetime import UTC
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from botocore.exceptions import ClientError

from auditor.notify import facts
from auditor.notify.facts import clean, count
from auditor.notify.interface import PartlyToldError
from auditor.notify.unanswered import AWS_ERRORS
from auditor.text import words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime

    from mypy_boto3_events import EventBridgeClient

    from auditor.findings import RoleReport
    from auditor.life import Kind, Known
    from auditor.notify.interface import News, RoleRenderer

SOURCE: Final = "auditor"
DETAIL_TYPES: Final[Mapping[Kind, str]] = {
    "new": "Finding New",
    "reopened": "Finding Reopened",
    "resolved": "Finding Resolved",
    "suppressed": "Finding Suppressed",
    "worse": "Finding Worse",
    "eased": "Finding Eased",
}
BATCH: Final = 10  # entries that one call takes
MAX_BYTES: Final = 256 * 1024
"""Of the entries of one call together: "the total entry size must be less than 256KB",
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevent-size.html"""
MAX_RESOURCE: Final = 1_600  # bytes of a role's ARN with the longest path, and some

_TIME_BYTES: Final = 14  # same page
_TRIES: Final = 2


class Entry(NamedTuple):
    """One event: the finding's id, and what PutEvents takes."""

    id: str
    request: dict[str, Any]

    def size(self) -> int:
        """Return the bytes that count against the limit."""
        texts = (self.request["Source"], self.request["DetailType"], self.request["Detail"])
        named = self.request["Resources"]
        return _TIME_BYTES + sum(len(text.encode()) for text in (*texts, *named))


def put(
    client: EventBridgeClient,
    bus: str,
    news: News,
    *,
    render_role: RoleRenderer,
    in_time: Callable[[], bool] = lambda: True,
) -> str:
    """Put an event for each change, and return how many there were.

    What the bus refuses is tried once more. A bus that doesn't answer, or refuses a whole call, is
    asked no more: the next call would fare no better, and others wait to be told.

    :param in_time: asked before each call, tells whether there is time for it.
    :raises PartlyToldError: for what the bus lacks then.
    """
    entries = list(_entries(news, bus, render_role))
    taken: set[str] = set()
    why = ""
    for batch in _batches(entries):
        if not in_time():
            why = why or _NO_TIME
            break
        try:
            missing, refusal = _put(client, batch, in_time)
        except AWS_ERRORS as error:
            why = words(error)
            break
        taken |= {entry.id for entry in batch} - missing
        why = why or refusal
    if len(taken) < len(entries):
        raise PartlyToldError(
            f"EventBridge bus {clean(bus)} lacks {count(len(entries) - len(taken), 'event')} of"
            f" {len(entries)}: {why}; check that the bus exists and that events:PutEvents is"
            " allowed",
            frozenset(taken),
        )
    return count(len(entries), "event")


_NO_TIME: Final = "the time for the bus is over; the next run sends them"
_OF_ONE_CALL: Final = frozenset({"ValidationException", "RequestEntityTooLargeException"})


def _put(
    client: EventBridgeClient, batch: Sequence[Entry], in_time: Callable[[], bool]
) -> tuple[set[str], str]:
    """Put a batch; return the ids of what was refused to the end, and why.

    Raises BotoCoreError or ClientError where the next batch would fare no better.
    """
    left = list(batch)
    why: dict[str, str] = {}
    for attempt in range(_TRIES):
        if attempt and not in_time():
            break
        requests: Any = [entry.request for entry in left]
        try:
            answers = client.put_events(Entries=requests)["Entries"]
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") not in _OF_ONE_CALL:
                raise
            return {entry.id for entry in left}, words(error)
        why = {
            entry.id: words(f"{one.get('ErrorCode', '')}: {one.get('ErrorMessage', '')}")
            for entry, one in zip(left, answers, strict=True)
            if not one.get("EventId")
        }
        left = [entry for entry in left if entry.id in why]
        if not left:
            break
    return set(why), next(iter(why.values()), "")


def _batches(entries: Sequence[Entry]) -> Iterator[list[Entry]]:
    batch: list[Entry] = []
    room = MAX_BYTES
    for entry in entries:
        size = entry.size()
        if batch and (len(batch) == BATCH or size >= room):
            yield batch
            batch, room = [], MAX_BYTES
        batch.append(entry)
        room -= size
    if batch:
        yield batch


def _entries(news: News, bus: str, render_role: RoleRenderer) -> Iterator[Entry]:
    roles = {role.arn: role for role in news.report.roles}
    rendered: dict[str, dict[str, object]] = {}
    for kind, id_, one in _told(news):
        role = roles.get(one.role_arn)
        if role is not None and role.arn not in rendered:
            rendered[role.arn] = render_role(role)
        short = _detail(news, kind, one, role) | {"id": id_}
        entry = _entry(news, bus, kind, one, short | _finding(one, rendered.get(one.role_arn)))
        if entry.size() >= MAX_BYTES:  # a giant policy name or title: what identifies it remains
            entry = _entry(news, bus, kind, one, short | {"cut": True})
        yield entry


def _told(news: News) -> Iterator[tuple[Kind, str, Known]]:
    """Yield what the bus is told, as what, and by which id: to a new one, what is open is new."""
    for kind, one in facts.change_lines(news.changes):
        yield kind, news.id, one
    for one in news.changes.still:
        yield "new", news.earlier_id, one


def _entry(news: News, bus: str, kind: Kind, one: Known, detail: dict[str, object]) -> Entry:
    return Entry(
        one.id,
        {
            "Time": news.report.generated_at,
            "Source": SOURCE,
            "DetailType": DETAIL_TYPES[kind],
            "Detail": json.dumps(detail, separators=(",", ":")),
            "Resources": [clean(one.role_arn, MAX_RESOURCE)],
            "EventBusName": bus,
        },
    )


def _detail(news: News, kind: Kind, one: Known, role: RoleReport | None) -> dict[str, object]:
    """Return what every event has beside its id; nothing in it is long."""
    name = clean(facts.role_name(one.role_arn))
    return {
        "change": kind,
        "account_id": clean(news.report.account_id, 40),
        "generated_at": _stamp(news.report.generated_at),
        "complete": news.report.complete,
        "finding_id": one.id,
        "role_arn": clean(one.role_arn, MAX_RESOURCE),
        "role_name": name,
        "projects": [
            f"{clean(p.name)} ({clean(p.region)})" for p in (role.projects[:50] if role else ())
        ],
        "verdict": role.verdict if role else None,
        "certainty": role.certainty if role else None,
        "rule": clean(one.rule),
        "rule_page": facts.rule_page(one.rule),
        "severity": one.severity,
        "action": clean(one.action),
        "title": clean(one.title),
        "first_seen": _stamp(one.first_seen),
        "last_seen": _stamp(one.last_seen),
        "plan": facts.plan_command(name) if role and role.verdict == "exposed" else None,
    }


def _finding(one: Known, role: dict[str, object] | None) -> dict[str, object]:
    """Return the finding as the JSON report has it, where the role still has it."""
    lists: Any = ((role or {}).get(name) or () for name in ("findings", "suppressed"))
    found = (each for entries in lists for each in entries)
    return {"finding": next((each for each in found if each["id"] == one.id), None)}


def _stamp(moment: datetime) -> str:
    return f"{moment.astimezone(UTC).replace(microsecond=0, tzinfo=None).isoformat()}Z"
