"""Settings come from the environment, and a bad one is named."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from chalicelib import settings
from chalicelib.settings import DEFAULT_SCHEDULE, SettingsError

# Powertools says so where a function fails before it has counted anything.
pytestmark = pytest.mark.filterwarnings("ignore:No application metrics to publish")

if TYPE_CHECKING:
    from chalice.test import Client

TOPIC = "arn:aws:sns:eu-west-1:123456789012:findings"


def test_empty_variables_count_as_unset() -> None:
    """CloudFormation can't leave a variable out, so an empty one means the default."""
    loaded = settings.load(
        {
            "AUDITOR_TOPIC_ARN": TOPIC,
            "AUDITOR_REGIONS": "",
            "AUDITOR_ALWAYS_NOTIFY": "",
            "AUDITOR_REPORTS_BUCKET": "",
            "PATH": "/bin",
        }
    )

    assert loaded == settings.Settings(topic_arn=TOPIC)
    assert loaded.regions == ()
    assert loaded.always_notify is False
    assert loaded.reports_bucket is None
    assert loaded.schedule == DEFAULT_SCHEDULE


def test_regions_are_separated_by_commas() -> None:
    """Spaces around a region's name, and a comma too many, do no harm."""
    loaded = settings.load(
        {"AUDITOR_TOPIC_ARN": TOPIC, "AUDITOR_REGIONS": "eu-west-1, us-gov-west-1,,"}
    )

    assert loaded.regions == ("eu-west-1", "us-gov-west-1")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("AUDITOR_TOPIC_ARN", None),
        ("AUDITOR_TOPIC_ARN", "findings"),
        ("AUDITOR_TOPIC_ARN", "arn:aws:sqs:eu-west-1:123456789012:findings"),
        ("AUDITOR_REGIONS", "Ireland"),
        ("AUDITOR_REGIONS", "eu-west-1 eu-west-2"),
        ("AUDITOR_ALWAYS_NOTIFY", "sometimes"),
        ("AUDITOR_REPORTS_BUCKET", "s3://reports"),
        ("AUDITOR_EXCEPTIONS", "package:../exceptions.yaml"),
        ("AUDITOR_EXCEPTIONS", "a-file-somewhere.yaml"),
        ("AUDITOR_SCHEDULE", "0 3 * * *"),
        ("AUDITOR_TOPIC", "a name that no setting has"),
    ],
)
def test_a_bad_variable_is_named_and_its_value_kept_quiet(name: str, value: str | None) -> None:
    """The one error line names the variable and never repeats what stood in it."""
    environ = {"AUDITOR_TOPIC_ARN": TOPIC}
    environ.pop(name, None)
    if value is not None:
        environ[name] = value

    with pytest.raises(SettingsError) as caught:
        settings.load(environ)

    message = str(caught.value)
    assert f"{name} " in message
    assert "\n" not in message
    if value is not None:
        assert value not in message


def test_every_bad_variable_is_named_at_once() -> None:
    """Two mistakes cost one deployment, not two."""
    with pytest.raises(SettingsError) as caught:
        settings.load({"AUDITOR_REGIONS": "x", "AUDITOR_ALWAYS_NOTIFY": "maybe"})

    for name in ("AUDITOR_TOPIC_ARN", "AUDITOR_REGIONS", "AUDITOR_ALWAYS_NOTIFY"):
        assert name in str(caught.value)


@pytest.mark.usefixtures("environment")
def test_a_function_without_its_topic_fails(client: Client) -> None:
    """Both functions refuse to run on an environment that can't be used."""
    nightly = client.events.generate_cw_event("aws.events", "Scheduled Event", {}, [])
    for name, event in (("audit_nightly", nightly), ("audit_now", {})):
        with pytest.raises(SettingsError, match="AUDITOR_TOPIC_ARN is not set"):
            client.lambda_.invoke(name, event)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, DEFAULT_SCHEDULE),
        ("", DEFAULT_SCHEDULE),
        ("cron(30 1 ? * MON-FRI *)", "cron(30 1 ? * MON-FRI *)"),
        ("rate(12 hours)", "rate(12 hours)"),
    ],
)
def test_the_schedule_comes_from_the_environment(
    monkeypatch: pytest.MonkeyPatch, value: str | None, expected: str
) -> None:
    """Chalice packages the schedule that the stage's configuration names."""
    monkeypatch.delenv("AUDITOR_SCHEDULE", raising=False)
    if value is not None:
        monkeypatch.setenv("AUDITOR_SCHEDULE", value)

    assert settings.schedule_expression() == expected


@pytest.mark.parametrize("value", ["nightly", "cron(0 3 * * *)", "rate(0 days)", "rate(1 day) "])
def test_a_schedule_that_is_none_stops_the_packaging(
    monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    """A schedule in another form is refused by the variable's name, before anything is built."""
    monkeypatch.setenv("AUDITOR_SCHEDULE", value)

    with pytest.raises(SettingsError, match="AUDITOR_SCHEDULE"):
        settings.schedule_expression()
