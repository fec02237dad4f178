"""What a store holds, as JSON values: written, and checked when read."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from auditor.errors import AuditorError
from auditor.findings import (  # noqa: TC001 - Pydantic reads them when the class is made
    Certainty,
    Severity,
)
from auditor.life import Day, Known, Status
from auditor.text import visible

_SHOWN = 200  # characters of what a library says is wrong


class HistoryError(AuditorError):
    """What earlier audits left can't be read or written: what, where, what to do."""


def _whole(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(microsecond=0)


Moment = Annotated[AwareDatetime, AfterValidator(_whole)]
Count = Annotated[int, Field(ge=0)]


class FindingValues(BaseModel):
    """A ``Known``. Limits are generous: they keep out what no audit ever wrote."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Annotated[str, Field(min_length=1, max_length=64)]
    role_arn: Annotated[str, Field(min_length=1, max_length=8192)]
    rule: Annotated[str, Field(min_length=1, max_length=128)]
    action: Annotated[str, Field(max_length=256)]
    severity: Severity
    title: Annotated[str, Field(max_length=8192)]
    first_seen: Moment
    last_seen: Moment
    status: Status
    resolved_at: Moment | None
    mail_regions: tuple[Annotated[str, Field(max_length=256)], ...]
    # What was written before there were these has none of them.
    certainty: Certainty | None = None
    excepted: bool = False

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if (self.resolved_at is not None) != (self.status == "resolved"):
            raise ValueError("resolved_at is for findings of status resolved, and these alone")
        if self.first_seen > self.last_seen or self.last_seen > (
            self.resolved_at or self.last_seen
        ):
            raise ValueError("its times are out of order")
        if self.excepted and self.status != "resolved":
            raise ValueError("excepted is for findings of status resolved")
        return self


class DayValues(BaseModel):
    """A ``Day``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    at: Moment
    roles: Count
    proven: Count
    possible: Count
    undetermined: Count
    complete: bool
    excepted: Count = 0


def finding_values(known: Known) -> dict[str, Any]:
    """Return a finding as JSON values; ``excepted`` only where it is so, and ``was`` never."""
    values = {key: _plain(value) for key, value in asdict(known).items() if key != "was"}
    if not known.excepted:
        del values["excepted"]
    return values


def day_values(day: Day) -> dict[str, Any]:
    """Return a day's counts as JSON values; ``excepted`` only where there are any."""
    values = {key: _plain(value) for key, value in day._asdict().items()}
    if not day.excepted:
        del values["excepted"]
    return values


def known_of(values: object) -> Known:
    """Return the finding that JSON values stand for. Raises ``ValidationError``."""
    return Known(**dict(FindingValues.model_validate(values)))


def day_from(values: object) -> Day:
    """Return the day's counts that JSON values stand for. Raises ``ValidationError``."""
    return Day(**dict(DayValues.model_validate(values)))


def stamp(moment: datetime) -> str:
    """Return a time as ``2026-11-23T03:00:00Z``."""
    return moment.astimezone(UTC).replace(microsecond=0, tzinfo=None).isoformat() + "Z"


def first_problem(error: ValidationError) -> str:
    """Return what is wrong with values, in a few words that repeat none of them."""
    one = error.errors(include_url=False, include_input=False, include_context=False)[0]
    place = ".".join(map(str, one["loc"]))
    told = one["msg"].removeprefix("Value error, ")
    return visible(f"{place}: {told}" if place else told)[:_SHOWN]


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return stamp(value)
    return list(value) if isinstance(value, tuple) else value
