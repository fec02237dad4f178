"""What a deployment can set, read from the environment inside each invocation.

Reading it there and not at import lets a test, or a changed configuration, set it per call. The
schedule is the exception: Chalice reads it while packaging.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from auditor.errors import AuditorError

if TYPE_CHECKING:
    from collections.abc import Mapping

PREFIX = "AUDITOR_"

# 03:00 UTC each day, where the stage's configuration names nothing else.
DEFAULT_SCHEDULE = "cron(0 3 * * ? *)"

# Every region's name so far has this form (us-gov-west-1, ap-southeast-5, eusc-de-east-1):
# https://docs.aws.amazon.com/general/latest/gr/rande.html
RegionName = Annotated[str, Field(pattern=r"^[a-z]{2,5}(-[a-z]+)+-[0-9]{1,2}$")]

# The two forms of https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html
ScheduleExpression = Annotated[
    str, Field(pattern=r"^(cron\(\S+( \S+){5}\)|rate\([1-9][0-9]* (minute|hour|day)s?\))$")
]


class SettingsError(AuditorError):
    """A deployment's environment can't be used; the message names the variable."""


class Settings(BaseModel):
    """One deployment's settings. Each field is the variable AUDITOR_<FIELD>.

    ``topic_arn``: the SNS topic for findings. ``regions``: where to look for CodeBuild projects,
    comma separated; empty means every region that the account may use. ``always_notify``: publish
    even when there is nothing to report. ``reports_bucket``: an S3 bucket for replies that are too
    long for Lambda; empty means none.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    topic_arn: Annotated[
        str,
        Field(pattern=r"^arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]{1,256}(\.fifo)?$"),
    ]
    regions: tuple[RegionName, ...] = ()
    always_notify: bool = False
    reports_bucket: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")] | None = (
        None
    )
    schedule: ScheduleExpression = DEFAULT_SCHEDULE

    @field_validator("regions", mode="before")
    @classmethod
    def _split_regions(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value


_EXPECTED: Mapping[str, str] = {
    "topic_arn": "the ARN of an SNS topic",
    "regions": "region names with commas between them, or nothing",
    "always_notify": "true or false",
    "reports_bucket": "the name of an S3 bucket, or nothing",
    "schedule": "cron(six fields) or rate(number unit)",
}


def load(environ: Mapping[str, str] | None = None) -> Settings:
    """Return the settings that ``environ`` (the process's own by default) holds.

    An empty variable counts as one that isn't set: CloudFormation can't leave a variable out.
    Raises SettingsError, one line that names every variable that can't be used. Values are not
    repeated there: a secret may have been pasted into the wrong field.
    """
    source = os.environ if environ is None else environ
    values: dict[str, Any] = {
        name.removeprefix(PREFIX).lower(): value
        for name, value in source.items()
        if name.startswith(PREFIX) and value
    }
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        problems = dict.fromkeys(
            _problem(str(item["loc"][0]), item["type"]) for item in error.errors()
        )
        raise SettingsError(
            f"environment: {'; '.join(problems)}. Set it in .chalice/config.json or as a"
            " parameter of the stack, see docs/deploy.md"
        ) from None


def _problem(field: str, kind: str) -> str:
    variable = PREFIX + field.upper()
    if kind == "extra_forbidden":
        known = ", ".join(PREFIX + name.upper() for name in Settings.model_fields)
        return f"{variable} is not a setting (known: {known})"
    if kind == "missing":
        return f"{variable} is not set, expected {_EXPECTED[field]}"
    return f"{variable} can't be used, expected {_EXPECTED[field]}"


class _Schedule(BaseModel):
    schedule: ScheduleExpression = DEFAULT_SCHEDULE


def schedule_expression() -> str:
    """Return when the nightly audit runs. Read at import: Chalice packages what it finds then."""
    value = os.environ.get(f"{PREFIX}SCHEDULE")
    try:
        return _Schedule(schedule=value).schedule if value else DEFAULT_SCHEDULE
    except ValidationError:
        raise SettingsError(f"environment: {_problem('schedule', 'value')}") from None
