"""What a deployment can set, read from the environment inside each invocation.

Reading it there and not at import lets a test, or a changed configuration, set it per call. The
schedule is the exception: Chalice reads it while packaging.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, TypeVar

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

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


# A role's ARN is at most 2,048 characters long
# (https://docs.aws.amazon.com/IAM/latest/APIReference/API_Role.html): a longer glob is a mistake.
RoleGlob = Annotated[str, Field(min_length=1, max_length=2048)]


# Standard or FIFO: https://docs.aws.amazon.com/sns/latest/api/API_CreateTopic.html
TopicArn = Annotated[
    str,
    Field(pattern=r"^arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]{1,256}(\.fifo)?$"),
]
TableName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{3,255}$")]

_SSM = r"ssm:/[A-Za-z0-9_./-]{1,1010}"
"""A parameter by its path:
https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-su-create.html"""
_PACKAGED = r"package:exceptions\.ya?ml"
"""A file that lay beside app.py when the deployment was packaged."""
ExceptionsPlace = Annotated[
    str,
    Field(
        pattern=rf"^(s3://[a-z0-9][a-z0-9.-]{{1,61}}[a-z0-9]/[!-~]{{1,1024}}|{_SSM}|{_PACKAGED})$"
    ),
]
SecretPlace = Annotated[
    str, Field(pattern=rf"^({_SSM}|secretsmanager:[A-Za-z0-9/_+=.@-]{{1,512}})$")
]
# Of this account and region: https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_CreateEventBus.html
BusName = Annotated[str, Field(pattern=r"^[A-Za-z0-9/._-]{1,256}$")]
DAYS: Final = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")


class Common(BaseModel):
    """What every function's settings have. Each field is the variable AUDITOR_<FIELD>.

    ``regions``: where to look for CodeBuild projects, comma separated; empty means every region
    that the account may use.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    regions: tuple[RegionName, ...] = ()
    schedule: ScheduleExpression = DEFAULT_SCHEDULE

    @field_validator(
        "regions", "remediate_roles", "remediate_except", mode="before", check_fields=False
    )
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value


class Settings(Common):
    """The settings of the functions that audit.

    ``topic_arn``: the SNS topic for findings. ``exceptions``: where the file of exceptions lies.
    ``always_notify``: publish even when there is nothing to report. ``reports_bucket``: an S3
    bucket for each night's report, and for replies that are too long for Lambda; empty means none.
    ``remediate_roles``: globs of the roles that the nightly audit has ``remediate_function`` plan
    for, comma separated; empty means that it never invokes it. ``remediate_except``: globs of roles
    to leave alone all the same. ``remediate_apply``: have these plans applied, too.

    For the nightly audit alone: ``history_table``: the DynamoDB table of what audits knew so far.
    ``digest_day``: when all that is still open
    is told again. The other channels, each off where its field is empty: ``slack_webhook`` (where
    the address of Slack's webhook lies), ``chat_topic_arn`` (the topic that Amazon Q listens to),
    ``security_hub``, ``event_bus`` (the name of a bus of EventBridge).
    """

    topic_arn: TopicArn
    always_notify: bool = False
    reports_bucket: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")] | None = (
        None
    )
    history_table: TableName | None = None
    exceptions: ExceptionsPlace | None = None
    digest_day: Literal["MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN", "NEVER"] = "MON"
    slack_webhook: SecretPlace | None = None
    chat_topic_arn: TopicArn | None = None
    security_hub: bool = False
    event_bus: BusName | None = None
    remediate_roles: tuple[RoleGlob, ...] = ()
    remediate_except: tuple[RoleGlob, ...] = ()
    remediate_apply: bool = False
    remediate_function: Annotated[str, Field(pattern=r"^[A-Za-z0-9:_-]{1,170}$")] | None = None

    @model_validator(mode="after")
    def _function_is_known(self) -> Settings:
        if self.remediate_roles and self.remediate_function is None:
            raise PydanticCustomError("missing", "remediate_function")
        return self


class RemediateSettings(Common):
    """The settings of ``remediate``. ``journal_table``: the DynamoDB table of what it attached.

    ``remediate_except`` and ``exceptions``: roles that it leaves alone, whoever invokes it.
    """

    journal_table: TableName
    remediate_except: tuple[RoleGlob, ...] = ()
    exceptions: ExceptionsPlace | None = None


_Kind = TypeVar("_Kind", bound=Common)

_EXPECTED: Mapping[str, str] = {
    "remediate_roles": "globs of role names or ARNs with commas between them, or nothing",
    "remediate_except": "globs of role names or ARNs with commas between them, or nothing",
    "remediate_apply": "true or false",
    "remediate_function": "the name of the function that remediates",
    "journal_table": "the name of a DynamoDB table",
    "topic_arn": "the ARN of an SNS topic",
    "regions": "region names with commas between them, or nothing",
    "always_notify": "true or false",
    "reports_bucket": "the name of an S3 bucket, or nothing",
    "schedule": "cron(six fields) or rate(number unit)",
    "history_table": "the name of a DynamoDB table",
    "exceptions": "s3://bucket/key, ssm:/name or package:exceptions.yaml, or nothing",
    "digest_day": "MON, TUE, WED, THU, FRI, SAT, SUN or NEVER",
    "slack_webhook": "ssm:/name or secretsmanager:name, or nothing",
    "chat_topic_arn": "the ARN of an SNS topic, or nothing",
    "security_hub": "true or false",
    "event_bus": "the name of an EventBridge bus, or nothing",
}


def load(environ: Mapping[str, str] | None = None) -> Settings:
    """Return the settings of the functions that audit, as ``read`` does."""
    return read(Settings, environ)


def table_of(settings: Settings) -> str:
    """Return the history's table. Raises SettingsError where none is set."""
    if settings.history_table is None:
        raise SettingsError(f"environment: {_problem('history_table', 'missing', Settings)}")
    return settings.history_table


def read(kind: type[_Kind], environ: Mapping[str, str] | None = None) -> _Kind:
    """Return the settings of one kind that ``environ`` (the process's own by default) holds.

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
        return kind.model_validate(values)
    except ValidationError as error:
        problems = dict.fromkeys(
            _problem(str((item["loc"] or ("remediate_function",))[0]), item["type"], kind)
            for item in error.errors()
        )
        raise SettingsError(
            f"environment: {'; '.join(problems)}. Set it in .chalice/config.json or as a"
            " parameter of the stack, see docs/deploy.md"
        ) from None


def _problem(field: str, error: str, kind: type[Common]) -> str:
    variable = PREFIX + field.upper()
    if error == "extra_forbidden":
        known = ", ".join(PREFIX + name.upper() for name in kind.model_fields)
        return f"{variable} is not a setting (known: {known})"
    if error == "missing":
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
        raise SettingsError(f"environment: {_problem('schedule', 'value', Common)}") from None
