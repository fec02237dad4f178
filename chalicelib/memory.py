"""What each channel was told last, in the history's table: ``heard#ACCOUNT``, a channel an item."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from auditor.history.client import Table, key
from auditor.history.values import HistoryError
from auditor.notify.news import KEY_BYTES, Heard

if TYPE_CHECKING:
    from collections.abc import Mapping

    from auditor.history.client import TableClient

MOST: Final = 40_000
"""Changes that a channel's item remembers. An item has at most 400 KB:
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
Where even more wait for another channel, this one may hear the rest twice."""

MOST_WAITING: Final = 3_000
"""Changes of silent nights that wait for the next message; one has room for fewer."""

_ANY: Final = "attribute_exists(pk) OR attribute_not_exists(pk)"
# No channel has such a name. An item "(trouble)" alone is an earlier version's, and isn't read.
_TROUBLE: Final = "(trouble) "
_UNANSWERED: Final = "(unanswered) "
_START: Final = "(start) "

RUNS: Final = 20
"""Runs whose failure is remembered: two may fail in turn, by hand and by the schedule."""


class Trouble(NamedTuple):
    """What a channel was told of audits that could not be done.

    ``runs`` are the ids of the last runs whose failure it was told; ``open``: it wasn't told since
    that the audit works again. ``cause`` stands for why the last of them failed, and ``day`` (ISO)
    is when that was told. ``unanswered`` are the ids of words that it didn't answer.
    """

    runs: tuple[str, ...] = ()
    open: bool = False
    cause: str = ""
    day: str = ""
    unanswered: tuple[str, ...] = ()


class Start(NamedTuple):
    """How far a bus got that was switched on, and doesn't have yet all that was open by then.

    ``id`` is that of its events about what was open, and ``taken`` the keys of what it took.
    """

    id: str
    taken: frozenset[bytes] = frozenset()


class Memory:
    """The memories of one account's channels."""

    def __init__(self, client: TableClient, table: str, account_id: str) -> None:
        self._table = Table(client, table)
        self._name = table
        self._pk = f"heard#{account_id}"

    def heard(self, channel: str) -> Heard | None:
        """Return what a channel was told last; None for one that is new. Raises HistoryError."""
        item = self._table.get(self._pk, channel)
        if item is None:
            return None
        try:
            return _heard(item)
        except (KeyError, TypeError, ValueError) as error:
            raise HistoryError(
                f"DynamoDB table {self._name}: item {self._pk} {channel} can't be read; remove it,"
                " and the channel is told what is open anew"
            ) from error

    def keep(self, channel: str, heard: Heard) -> None:
        """Remember what a channel was told. Raises HistoryError."""
        self._table.put(
            {
                **key(self._pk, channel),
                "changes": {"B": b"".join(sorted(heard.changes)[:MOST])},
                "open": {"BOOL": heard.open},
                "gaps": {"S": heard.gaps},
                "remedy": {"S": heard.remedy},
                "day": {"S": heard.day},
                "run": {"S": heard.run},
                "waiting": {"B": b"".join(sorted(heard.waiting)[:MOST_WAITING])},
                "fixed": {"BOOL": heard.fixed},
                "exceptions": {"B": b"".join(sorted(heard.exceptions))},
            },
            _ANY,
        )

    def trouble(self, channel: str) -> Trouble:
        """Return what a channel was told of audits that could not be done. Raises HistoryError."""
        item = self._table.get(self._pk, _TROUBLE + channel)
        if item is None:
            return Trouble()
        # An item that an earlier version wrote has none of the last three.
        return Trouble(
            _texts(item["runs"]),
            open=bool(item["open"]["BOOL"]),
            cause=str(item["cause"]["S"]) if "cause" in item else "",
            day=str(item["day"]["S"]) if "day" in item else "",
            unanswered=_texts(item["unanswered"]) if "unanswered" in item else (),
        )

    def keep_trouble(self, channel: str, trouble: Trouble) -> None:
        """Remember what a channel was told of audits that failed. Raises HistoryError."""
        item = {
            "runs": {"L": [{"S": one} for one in trouble.runs[-RUNS:]]},
            "open": {"BOOL": trouble.open},
            "cause": {"S": trouble.cause},
            "day": {"S": trouble.day},
            "unanswered": {"L": [{"S": one} for one in trouble.unanswered[-RUNS:]]},
        }
        self._table.put({**key(self._pk, _TROUBLE + channel), **item}, _ANY)

    def unanswered(self, channel: str) -> str:
        """Return the id of the message that a channel last didn't answer. Raises HistoryError."""
        item = self._table.get(self._pk, _UNANSWERED + channel)
        return "" if item is None else str(item["id"]["S"])

    def keep_unanswered(self, channel: str, id_: str) -> None:
        """Remember that a channel gave no answer to a message. Raises HistoryError."""
        self._table.put({**key(self._pk, _UNANSWERED + channel), "id": {"S": id_}}, _ANY)

    def start(self, channel: str) -> Start | None:
        """Return how far a new channel got; None where it has not begun. Raises HistoryError."""
        item = self._table.get(self._pk, _START + channel)
        return None if item is None else Start(str(item["id"]["S"]), _keys(item["taken"]["B"]))

    def keep_start(self, channel: str, start: Start) -> None:
        """Remember how far a new channel got. Raises HistoryError."""
        taken = b"".join(sorted(start.taken)[:MOST])
        item = {"id": {"S": start.id}, "taken": {"B": taken}}
        self._table.put({**key(self._pk, _START + channel), **item}, _ANY)

    def started(self, channel: str) -> None:
        """Forget how a channel came to know what is open. Raises HistoryError."""
        self._table.delete(self._pk, _START + channel, _ANY)

    def release(self, owner: str) -> None:
        """Let others tell, where this attempt told what it could. Raises HistoryError.

        The lease is the history's own item (``auditor.history.table``); left, it runs out by
        itself, and a run by hand would have to wait for that.
        """
        self._table.delete(
            self._pk.replace("heard#", "telling#", 1),
            "telling",
            "#owner = :me",
            ExpressionAttributeNames={"#owner": "owner"},
            ExpressionAttributeValues={":me": {"S": owner}},
        )


def _heard(item: Mapping[str, Any]) -> Heard:
    # An item that an earlier version wrote has none of the last three.
    return Heard(
        _keys(item["changes"]["B"]),
        bool(item["open"]["BOOL"]),
        gaps=str(item["gaps"]["S"]),
        remedy=str(item["remedy"]["S"]),
        day=str(item["day"]["S"]),
        run=str(item["run"]["S"]),
        waiting=_keys(item["waiting"]["B"]) if "waiting" in item else frozenset(),
        fixed=bool(item["fixed"]["BOOL"]) if "fixed" in item else False,
        exceptions=_keys(item["exceptions"]["B"]) if "exceptions" in item else frozenset(),
    )


def _texts(value: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(str(one["S"]) for one in value["L"])


def _keys(value: object) -> frozenset[bytes]:
    if not isinstance(value, bytes):
        raise TypeError(value)
    return frozenset(value[at : at + KEY_BYTES] for at in range(0, len(value), KEY_BYTES))
