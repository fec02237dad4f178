"""The items of the history's table: values to attributes and back."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from pydantic import ValidationError

from auditor.errors import AuditorError
from auditor.history.client import key
from auditor.history.values import (
    day_from,
    day_values,
    finding_values,
    first_problem,
    known_of,
    stamp,
)
from auditor.lasting import AHEAD

if TYPE_CHECKING:
    from collections.abc import Mapping

    from auditor.lasting import Grade
    from auditor.life import Changes, Day, Kind, Known

KINDS: Final[tuple[Kind, ...]] = ("new", "reopened", "resolved", "suppressed", "worse", "eased")
"""The kinds of changes that somebody is told of."""
_THEN: Final[Mapping[Kind, tuple[Kind, ...]]] = {
    "worse": ("new", "reopened"),
    "eased": ("new", "reopened", "suppressed"),
}
"""Kinds that don't take the place of others that wait: who was told of these hears both."""
RESOLVED_KEPT: Final = timedelta(days=400)
"""How long a resolved finding is known; one that comes back later is new."""
DAY_KEPT: Final = timedelta(days=800)


class DamagedItemError(AuditorError):
    """An item that something else wrote. Left out, its finding would be new, and told again."""


class Stored(NamedTuple):
    """A finding as the table has it.

    ``untold`` is the change that nobody was told of yet, and ``since`` the version that made it.
    ``then`` is ``worse`` or ``eased`` where it changed so since, before its first change was told;
    ``was`` how grave it was before it got worse or less grave. ``run`` is the id of the run that
    stored the latest change, empty where an earlier version of the auditor did.
    """

    known: Known
    version: int
    untold: Kind | None
    since: int
    then: Kind | None
    run: str = ""
    was: Grade | None = None


def stored_of(item: Mapping[str, Any]) -> Stored:
    """Return the finding of an item. Raises ``DamagedItemError``."""
    try:
        values = json.loads(item["known"]["S"])
        known = known_of(values)
        version = int(item["version"]["N"])
        untold = item.get("untold", {}).get("S")
        since = int(item["since"]["N"])
        worse, eased = (bool(item.get(name, {}).get("BOOL")) for name in ("worse", "eased"))
        was = known_of(values | json.loads(item["was"]["S"])).grade() if "was" in item else None
        run = str(item.get("run", {}).get("S", ""))
        if known.id != item["sk"]["S"]:
            raise DamagedItemError("its key is another finding's")
    except ValidationError as error:
        raise DamagedItemError(first_problem(error)) from error
    except (KeyError, ValueError, TypeError) as error:
        raise DamagedItemError("its attributes are incomplete") from error
    kind: Kind | None = next((one for one in KINDS if one == untold), None)
    if untold is not None and kind is None:
        raise DamagedItemError("untold is no kind of change")
    if kind == "worse" and eased:
        return Stored(known, version, "eased", since, None, run, was)
    then: Kind | None = "worse" if worse else "eased" if eased else None
    return Stored(known, version, kind, since, then, run, was)


def known_at(stored: Stored, now: datetime) -> Known:
    """Return what is known of a finding at a time: what a wrong clock put far later, counts as now.

    Else one audit by such a clock would keep all later ones from saying anything.
    """
    one = stored.known
    return one.no_later(now) if one.ends() > now + AHEAD else one


def kinds_of(changed: Changes) -> dict[str, Kind]:
    """Return the kind of each change, by the finding's id."""
    return {one.id: kind for kind in KINDS for one in getattr(changed, kind)}


def write_of(
    pk: str, known: Known, before: Stored | None, kind: Kind | None, run: str = ""
) -> dict[str, Any]:
    """Return the write of a finding, on the condition that it is still as it was read.

    What was to be told of it before, and nobody was told, is told as it is now.

    :param run: the id of the run that found it so.
    """
    version, untold = (before.version + 1, before.untold) if before else (1, None)
    since = before.since if before else version
    then, was = (before.then, before.was) if before else (None, None)
    if kind in ("worse", "eased") and before is not None and kind not in (untold, then):
        was = before.known.grade()
    if kind is not None and untold in _THEN.get(kind, ()):
        then, since = kind, version
    elif kind in KINDS:
        then, untold, since = None, kind, version
    item: dict[str, object] = {
        **key(pk, known.id),
        "known": {"S": json.dumps(finding_values(known))},
        "status": {"S": known.status},
        "version": {"N": str(version)},
        "since": {"N": str(since)},
    }
    if untold is not None:
        # A version that doesn't know ``eased`` reads it as ``worse``, and not as damaged.
        item["untold"] = {"S": "worse" if untold == "eased" else untold}
    if then == "worse":
        item["worse"] = {"BOOL": True}
    if "eased" in (untold, then):
        item["eased"] = {"BOOL": True}
    if was is not None and not {untold, then}.isdisjoint(_THEN):
        item["was"] = {"S": json.dumps(was._asdict())}
    if kind not in KINDS and before is not None:
        run = before.run
    if run:
        item["run"] = {"S": run}
    if known.resolved_at is not None:
        item["expires_at"] = {"N": epoch(known.resolved_at + RESOLVED_KEPT)}
    if before is None:
        return {"Put": {"Item": item, "ConditionExpression": "attribute_not_exists(pk)"}}
    return {
        "Put": {
            "Item": item,
            "ConditionExpression": "version = :version",
            "ExpressionAttributeValues": {":version": {"N": str(before.version)}},
        }
    }


def told_of(pk: str, id_: str, since: int) -> dict[str, Any]:
    """Return the write that confirms a change, on the condition that it is still the latest.

    It makes a new version: whoever read the finding before mustn't write it back as untold.
    """
    return {
        "Update": {
            "Key": key(pk, id_),
            "UpdateExpression": "SET version = version + :one REMOVE untold, worse, eased, was",
            "ConditionExpression": "since = :since AND attribute_exists(untold)",
            "ExpressionAttributeValues": {":since": {"N": str(since)}, ":one": {"N": "1"}},
        }
    }


def day_item(pk: str, day: Day) -> dict[str, object]:
    """Return the item of a day's counts."""
    at = stamp(day.at)
    return {
        **key(pk, at[:10]),
        "day": {"S": json.dumps(day_values(day))},
        "at": {"S": at},
        "expires_at": {"N": epoch(day.at + DAY_KEPT)},
    }


def day_of_item(item: Mapping[str, Any]) -> Day:
    """Return the counts of a day's item."""
    return day_from(json.loads(item["day"]["S"]))


def epoch(moment: datetime) -> str:
    """Return a time as the TTL attribute has it: seconds since 1970."""
    return str(int(moment.astimezone(UTC).timestamp()))
