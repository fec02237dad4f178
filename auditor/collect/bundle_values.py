"""``Account`` -> JSON values -> an equal ``Account``, for bundles.

Policies stand in one list and are named by their place in it, because identity matters: a policy
attached to many roles is one ``PolicyText``. Their documents are kept as they came. What is read
back is checked value by value: anybody can write a file with a right checksum.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar, get_args

from auditor.account import (
    Account,
    Failure,
    Identity,
    Organization,
    PolicyKind,
    PolicyText,
    Project,
    Role,
    ScpLevel,
    SesRegion,
    UnresolvedProject,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

_T = TypeVar("_T")
_KINDS = frozenset(get_args(PolicyKind))


class MalformedBundle(Exception):  # noqa: N818 - says what is wrong, and is always caught
    """Values that aren't an account's; the message says which."""


def values_of(account: Account) -> dict[str, object]:
    """Return an account as JSON values. Uses up ``roles`` where they can be read only once."""
    table = _Table()
    values: dict[str, object] = {
        "account_id": account.account_id,
        "partition": account.partition,
        "not_evaluated": list(account.not_evaluated),
        "failures": [list(failure) for failure in account.failures],
        "unresolved_projects": [
            [list(one.project), one.role_arn, one.reason] for one in account.unresolved_projects
        ],
        "api_calls": dict(account.api_calls),
        "organization": account.organization and _organization_values(account.organization, table),
        "ses": [_region_values(region, table) for region in account.ses],
        "limited_to": list(account.limited_to),
        "roles": [_role_values(role, table) for role in account.roles],
    }
    values["policies"] = [
        [text.name, text.arn, text.kind, text.document, text.missing] for text in table.texts
    ]
    return values


class _Table:
    """The policies in the order of their first use."""

    def __init__(self) -> None:
        self.texts: list[PolicyText] = []
        self._places: dict[PolicyText, int] = {}

    def places(self, texts: Iterable[PolicyText]) -> list[int]:
        """Return where these policies stand, new ones added at the end."""
        return [self.place(text) for text in texts]

    def place(self, text: PolicyText) -> int:
        """Return where a policy stands."""
        if text not in self._places:  # compared by identity, as PolicyText is
            self._places[text] = len(self.texts)
            self.texts.append(text)
        return self._places[text]


def _organization_values(found: Organization, table: _Table) -> dict[str, object]:
    levels = [[one.target, one.name, table.places(one.policies)] for one in found.levels]
    return {"id": found.id, "management": found.management, "levels": levels}


def _region_values(found: SesRegion, table: _Table) -> dict[str, object]:
    return {
        "region": found.region,
        "production_access": found.production_access,
        "sending_enabled": found.sending_enabled,
        "identities": [
            [one.name, one.arn, one.verified, table.places(one.policies)]
            for one in found.identities
        ],
    }


def _role_values(role: Role, table: _Table) -> dict[str, object]:
    return {
        "arn": role.arn,
        "name": role.name,
        "role_id": role.role_id,
        "tags": dict(role.tags),
        "trust": table.place(role.trust),
        "inline": table.places(role.inline),
        "attached": table.places(role.attached),
        "boundary": None if role.boundary is None else table.place(role.boundary),
        "projects": [list(project) for project in role.projects],
    }


def account_of(values: dict[str, object]) -> Account:
    """Return the account that ``values_of`` wrote.

    :raises MalformedBundle: if these aren't such values.
    """
    try:
        return _account(values)
    except KeyError as error:
        raise MalformedBundle(f"no {error.args[0]!r} where there must be one") from error
    except ValueError as error:  # a list that is longer or shorter than it must be
        raise MalformedBundle(f"a list of the wrong length: {error}") from error


def _is(kind: type[_T], value: object) -> _T:
    """Return a value that is of this kind, and not a bool in an int's place."""
    if type(value) is not kind:
        raise MalformedBundle(f"{type(value).__name__} in place of {kind.__name__}")
    return value


def _list(value: object) -> list[object]:
    return _is(list, value)


def _optional(kind: type[_T], value: object) -> _T | None:
    return None if value is None else _is(kind, value)


def _texts(value: object) -> tuple[str, ...]:
    return tuple(_is(str, one) for one in _list(value))


def _account(values: dict[str, object]) -> Account:
    texts = [_policy(one) for one in _list(values["policies"])]
    calls = _is(dict, values["api_calls"])
    unresolved = []
    for one in _list(values["unresolved_projects"]):
        project, role_arn, reason = _list(one)
        unresolved.append(
            UnresolvedProject(_project(project), _is(str, role_arn), _is(str, reason))
        )
    above = values["organization"]
    roles = [_role(_is(dict, one), texts) for one in _list(values["roles"])]
    if len({role.arn for role in roles}) < len(roles):
        raise MalformedBundle("two roles of one ARN")
    return Account(
        account_id=_is(str, values["account_id"]),
        partition=_is(str, values["partition"]),
        roles=roles,
        not_evaluated=_texts(values["not_evaluated"]),
        failures=tuple(_failure(one) for one in _list(values["failures"])),
        unresolved_projects=tuple(unresolved),
        api_calls={_is(str, key): _is(int, count) for key, count in calls.items()},
        organization=None if above is None else _organization(_is(dict, above), texts),
        ses=tuple(_region(_is(dict, one), texts) for one in _list(values["ses"])),
        limited_to=_texts(values.get("limited_to", [])),  # older files don't say
    )


def _policy(value: object) -> PolicyText:
    name, arn, kind, document, missing = _list(value)
    if not isinstance(kind, str) or kind not in _KINDS:
        raise MalformedBundle("a policy of an unknown kind")
    return PolicyText(
        _is(str, name),
        _optional(str, arn),
        kind,  # type: ignore[arg-type]  # one of PolicyKind's, as was just seen
        document,
        _optional(str, missing),
    )


def _at(place: object, texts: list[PolicyText]) -> PolicyText:
    if not 0 <= _is(int, place) < len(texts):
        raise MalformedBundle(f"no policy number {place}")
    return texts[_is(int, place)]


def _all_at(places: object, texts: list[PolicyText]) -> tuple[PolicyText, ...]:
    return tuple(_at(place, texts) for place in _list(places))


def _failure(value: object) -> Failure:
    where, message = _texts(value)
    return Failure(where, message)


def _project(value: object) -> Project:
    name, region, arn = _texts(value)
    return Project(name, region, arn)


def _role(value: dict[str, object], texts: list[PolicyText]) -> Role:
    boundary = value["boundary"]
    return Role(
        arn=_is(str, value["arn"]),
        name=_is(str, value["name"]),
        role_id=_is(str, value["role_id"]),
        tags={key: _is(str, tag) for key, tag in _is(dict, value["tags"]).items()},
        trust=_at(value["trust"], texts),
        inline=_all_at(value["inline"], texts),
        attached=_all_at(value["attached"], texts),
        boundary=None if boundary is None else _at(boundary, texts),
        projects=tuple(_project(one) for one in _list(value["projects"])),
    )


def _organization(value: dict[str, object], texts: list[PolicyText]) -> Organization:
    levels = []
    for one in _list(value["levels"]):
        target, name, places = _list(one)
        levels.append(ScpLevel(_is(str, target), _is(str, name), _all_at(places, texts)))
    return Organization(_is(str, value["id"]), _is(bool, value["management"]), tuple(levels))


def _region(value: dict[str, object], texts: list[PolicyText]) -> SesRegion:
    identities = []
    for one in _list(value["identities"]):
        name, arn, verified, places = _list(one)
        policies = _all_at(places, texts)
        identities.append(Identity(_is(str, name), _is(str, arn), _is(bool, verified), policies))
    return SesRegion(
        _is(str, value["region"]),
        _optional(bool, value["production_access"]),
        _optional(bool, value["sending_enabled"]),
        tuple(identities),
    )
