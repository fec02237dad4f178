"""The event that ``audit_now`` takes."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from auditor.errors import InputError
from chalicelib.settings import RegionName  # noqa: TC001 - pydantic reads it at run time

# A role's ARN is at most 2,048 characters long
# (https://docs.aws.amazon.com/IAM/latest/APIReference/API_Role.html): a longer glob is a mistake.
RoleGlob = Annotated[str, Field(min_length=1, max_length=2048)]


class AuditRequest(BaseModel):
    """What to audit: ``roles`` are globs on name or ARN (none: all), ``regions`` as in Settings."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    roles: list[RoleGlob] = []
    notify: bool = False
    regions: list[RegionName] = []


_EXPECTED = {
    "roles": "a list of globs, none of them empty",
    "notify": "true or false",
    "regions": 'a list of region names such as "eu-west-1"',
}


def parse(event: object) -> AuditRequest:
    """Return the request that a raw event holds; raises InputError that names the bad key."""
    if not isinstance(event, dict):
        raise InputError(
            f"audit_now: the event is a {type(event).__name__}, expected a JSON object such as"
            ' {"roles": ["codebuild-*"], "notify": false}'
        )
    try:
        return AuditRequest.model_validate(event)
    except ValidationError as error:
        problems = dict.fromkeys(_problem(item["loc"], item["type"]) for item in error.errors())
        raise InputError(f"audit_now: {'; '.join(problems)}") from None


def _problem(loc: tuple[int | str, ...], kind: str) -> str:
    # !a: a key is text from outside, and an error is one line.
    key = str(loc[0])
    if kind == "extra_forbidden":
        return f"unknown key {key!a} (known: {', '.join(AuditRequest.model_fields)})"
    index = "".join(f"[{part}]" for part in loc[1:])
    return f"{key}{index} can't be used, expected {_EXPECTED[key]}"
