"""The events that ``audit_now`` and ``remediate`` take."""

from __future__ import annotations

from typing import Annotated, Final, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from auditor.errors import InputError
from chalicelib.settings import RegionName, RoleGlob  # noqa: TC001 - pydantic reads them


class Request(BaseModel):
    """What every event may name: ``regions`` as in Settings."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    regions: list[RegionName] = []


class AuditRequest(Request):
    """What to audit: ``roles`` are globs on name or ARN (none: all)."""

    roles: list[RoleGlob] = []
    notify: bool = False


PlanId = Annotated[str, Field(pattern=r"^plan-[0-9TZ]{16}-[0-9a-f]{8}$")]


class RemediateRequest(Request):
    """What to plan, apply or take back. Nothing is changed unless ``apply`` is true.

    ``roles`` are globs on name or ARN, ``excepted`` those that are left alone all the same.
    ``finish`` names a plan that an earlier request began to apply, ``undo`` one to take back: from
    ``roles`` (names or ARNs), or from all of its roles. ``list_`` (the event's ``list``) asks for
    the plans that were begun. The same ``request_id`` twice is one request: the second gets the
    first one's reply.
    """

    roles: list[RoleGlob] = []
    excepted: list[RoleGlob] = []
    policy: Literal["guard", "sender"] = "guard"
    apply: bool = False
    max_changes: Annotated[int, Field(ge=1, le=1_000)] = 25
    finish: PlanId | None = None
    undo: PlanId | None = None
    list_: Annotated[bool, Field(alias="list")] = False
    request_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9._:-]{1,128}$")] | None = None

    @model_validator(mode="after")
    def _one_thing(self) -> RemediateRequest:
        old = [name for name in ("finish", "undo") if getattr(self, name) is not None]
        if self.list_ and (old or self.roles or self.excepted or self.apply):
            raise PydanticCustomError("whole", "list tells plans: leave everything else out")
        if len(old) > 1:
            raise PydanticCustomError("whole", "finish and undo: give one of them")
        if not (self.list_ or old or self.roles):
            raise PydanticCustomError(
                "whole", 'name the roles, for example "roles": ["codebuild-web"], or a plan to undo'
            )
        if old and (self.excepted or (self.finish and self.roles)):
            raise PydanticCustomError(
                "whole", "a plan says which roles it is about: leave roles and excepted out"
            )
        if old and not self.apply:
            raise PydanticCustomError(
                "whole", f'{old[0]} changes roles: give "apply": true with it'
            )
        return self


_EXPECTED: Final = {
    "roles": "a list of globs, none of them empty",
    "excepted": "a list of globs, none of them empty",
    "notify": "true or false",
    "apply": "true or false",
    "policy": '"guard" or "sender"',
    "max_changes": "a number from 1 to 1000",
    "finish": "the id of a plan",
    "undo": "the id of a plan",
    "list": "true or false",
    "request_id": "up to 128 letters, digits and . _ : -",
    "regions": 'a list of region names such as "eu-west-1"',
}
_EXAMPLES: Final[dict[type[Request], str]] = {
    AuditRequest: '{"roles": ["codebuild-*"], "notify": false}',
    RemediateRequest: '{"roles": ["codebuild-web"], "apply": false}',
}
_Kind = TypeVar("_Kind", bound=Request)


def parse(event: object) -> AuditRequest:
    """Return the request that a raw event of ``audit_now`` holds, as ``read`` does."""
    return read(AuditRequest, event, "audit_now")


def read(kind: type[_Kind], event: object, function: str) -> _Kind:
    """Return the request that a raw event holds; raises InputError that names the bad key."""
    if not isinstance(event, dict):
        raise InputError(
            f"{function}: the event is a {type(event).__name__}, expected a JSON object such as"
            f" {_EXAMPLES[kind]}"
        )
    try:
        return kind.model_validate(event)
    except ValidationError as error:
        problems = dict.fromkeys(
            item["msg"] if item["type"] == "whole" else _problem(kind, item["loc"], item["type"])
            for item in error.errors()
        )
        raise InputError(f"{function}: {'; '.join(problems)}") from None


def _problem(kind: type[Request], loc: tuple[int | str, ...], error: str) -> str:
    # !a: a key is text from outside, and an error is one line.
    key = str(loc[0])
    if error == "extra_forbidden":
        known = ", ".join(field.alias or name for name, field in kind.model_fields.items())
        return f"unknown key {key!a} (known: {known})"
    index = "".join(f"[{part}]" for part in loc[1:])
    return f"{key}{index} can't be used, expected {_EXPECTED[key]}"
