"""Events: read from any message, matched, judged."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.smoke.events import BODY_MAX, Event, NoEvent, judge, read_event
from auditor.smoke.scenarios import SCENARIOS
from tests.smoke.records import MAIL, TO, envelope, eventbridge, record

BOUNCE = Event("Bounce", MAIL, (TO,), "Permanent", "General")


@pytest.mark.parametrize("field", ["eventType", "notificationType"])
@pytest.mark.parametrize(
    "wrap",
    [
        pytest.param(json.dumps, id="raw"),
        pytest.param(envelope, id="sns"),
        pytest.param(eventbridge, id="eventbridge"),
        pytest.param(lambda one: envelope(eventbridge(one)), id="eventbridge in sns"),
    ],
)
def test_both_formats_in_every_envelope(field: str, wrap: object) -> None:
    """Feedback notifications and published events read alike, however they came."""
    assert callable(wrap)
    assert read_event(wrap(record("Bounce", field=field))) == BOUNCE


@pytest.mark.parametrize(
    ("kind", "details", "shown"),
    [
        ("Delivery", {}, "Delivery"),
        ("Complaint", {}, "Complaint"),
        ("Send", {}, "Send"),
        ("Bounce", {"bounceSubType": "Suppressed"}, "Bounce (Permanent, Suppressed)"),
        ("Bounce", {"bounceType": "Transient"}, "Bounce (Transient, General)"),
        ("Bounce", {"bounceType": 7, "bounceSubType": None}, "Bounce"),
        ("Rendering Failure", {}, "Rendering Failure"),
    ],
)
def test_kinds(kind: str, details: dict[str, Any], shown: str) -> None:
    """Each type of event keeps its name, and a bounce how lasting it is."""
    assert str(read_event(envelope(record(kind, **details)))) == shown


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["Type", "Message", "detail", "mail", "eventType", "messageId",
                             "notificationType", "bounce", "destination"]) | st.text(max_size=3),
            inner, max_size=5,
        )
    ),
    max_leaves=15,
)  # fmt: skip


@given(st.text() | JSON.map(json.dumps) | JSON.map(envelope))
def test_any_message_can_be_read(body: str) -> None:
    """Whatever lies in a queue is an event or isn't, with a printable word about it."""
    found = read_event(body)
    assert isinstance(found, Event) or found.why.isprintable()


@pytest.mark.parametrize(
    "body",
    [
        "Successfully validated SNS topic for Amazon SES event publishing.",
        envelope("Successfully validated SNS topic for Amazon SES event publishing."),
        json.dumps({"Type": "SubscriptionConfirmation", "SubscribeURL": "https://example.com/"}),
        "[" * 100_000,
        json.dumps({"Message": "[" * 100_000}),
        " " * BODY_MAX + "{}",
        "null",
        json.dumps({"mail": {}}),
        json.dumps({"eventType": "Bounce", "mail": {"destination": [TO]}}),
        envelope(envelope(envelope(record("Bounce")))),
    ],
    ids=lambda body: body[:30],
)
def test_what_is_no_event(body: str) -> None:
    """SES's and SNS's own notices, other people's messages and nonsense aren't events."""
    assert isinstance(read_event(body), NoEvent)


def seen(kind: str, bounce: str | None = None, to: str = TO) -> Event:
    return Event(kind, MAIL, (to,), bounce)


@pytest.mark.parametrize(
    ("mailbox", "events", "missing", "unexpected"),
    [
        # https://docs.aws.amazon.com/ses/latest/dg/send-an-email-from-console.html#send-email-simulator
        ("success", [seen("Delivery")], 0, 0),
        ("success", [seen("Send"), seen("Delivery"), seen("Open")], 0, 0),
        ("success", [seen("Send")], 1, 0),
        ("success", [seen("Bounce", "Permanent")], 1, 1),
        ("success", [seen("Delivery"), seen("Complaint")], 0, 1),
        ("bounce", [seen("Bounce", "Permanent")], 0, 0),
        ("bounce", [seen("Bounce", "Transient")], 1, 1),
        ("bounce", [seen("Delivery")], 1, 1),
        ("ooto", [seen("Delivery"), seen("Bounce", "Transient")], 0, 0),
        ("ooto", [seen("Bounce", "Transient")], 1, 0),
        ("ooto", [seen("Bounce", "Permanent")], 1, 1),
        ("complaint", [seen("Complaint")], 0, 0),
        ("complaint", [seen("Delivery"), seen("Complaint")], 0, 0),
        ("complaint", [seen("Delivery")], 1, 0),
        ("suppressionlist", [seen("Bounce", "Permanent")], 0, 0),
        ("suppressionlist", [seen("Reject")], 1, 1),
        ("success", [seen("Rendering Failure")], 1, 1),
        ("success", [seen("Teleported")], 1, 1),
        # an event of our mail that names somebody else is never fine
        ("success", [seen("Delivery"), seen("Delivery", to="person@example.org")], 0, 1),
        ("success", [seen("Send", to="person@example.org"), seen("Delivery")], 0, 1),
        ("success", [seen("Delivery", to=TO.upper())], 0, 0),
        ("success", [], 1, 0),
    ],
)  # fmt: skip
def test_judging(mailbox: str, events: list[Event], missing: int, unexpected: int) -> None:
    """Each scenario wants its events and tells of those that it shouldn't have."""
    (scenario,) = (one for one in SCENARIOS if one.mailbox == mailbox)
    found = judge(scenario, TO, events)
    assert (len(found.missing), len(found.unexpected)) == (missing, unexpected)
