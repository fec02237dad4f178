"""What audits knew so far, in a DynamoDB table, and what is still to be told of it.

One table, with the keys ``pk`` and ``sk`` (strings) and the TTL attribute ``expires_at``; other
items may live beside these:

========================  ============  =========================================================
``pk``                    ``sk``        what
========================  ============  =========================================================
``findings#ACCOUNT``      finding's id  a ``Known``, its ``version``, and ``untold``: the kind of
                                        change that nobody was told of, ``since`` which version;
                                        ``worse``: it was new or reopened, and got worse since;
                                        ``run``: the run that made the latest change
``runs#ACCOUNT``          run's id      a run that was stored, and whether it was told
``days#ACCOUNT``          day           the counts of a day
``telling#ACCOUNT``       ``telling``   who tells at the moment, and until when
========================  ============  =========================================================

A run stores (``record``), takes what is to be told (``claim``), tells it, and confirms (``told``).
Killed at any point and run again, it goes on where it was. What can happen twice is the telling
itself, where a run is killed after a channel took the message and before ``told``, or where a
channel takes longer than ``lease``: then the same ``Outbox.id`` comes again, by which a receiver
can know it.
"""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Final, Literal

from auditor.history.client import Table, key
from auditor.history.items import (
    DamagedItemError,
    day_item,
    day_of_item,
    epoch,
    kinds_of,
    known_at,
    stored_of,
    told_of,
    write_of,
)
from auditor.history.outbox import Outbox, outbox_of
from auditor.history.values import HistoryError, stamp
from auditor.lasting import AHEAD
from auditor.life import day_of, live, whole
from auditor.text import visible

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from auditor.findings import Report
    from auditor.history.client import TableClient
    from auditor.history.items import Stored
    from auditor.life import Changes, Day, Known
    from auditor.looked import Looked

__all__ = ["LEASE", "RUN_KEPT", "Outbox", "RunState", "TableHistory"]

RunState = Literal["new", "recorded", "told"]

LEASE: Final = 120
"""Seconds that who tells has for it. Lambda's second retry comes three minutes after a failure:
https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html"""
RUN_KEPT: Final = timedelta(days=30)

_ROUNDS: Final = 10  # times that other runs may change findings while one stores its own
_TELLING: Final = "telling"


class TableHistory:
    """The history of one account. ``clock`` returns the time, aware."""

    def __init__(
        self,
        client: TableClient,
        table: str,
        account_id: str,
        *,
        clock: Callable[[], datetime],
        lease: int = LEASE,
    ) -> None:
        self._table = Table(client, table)
        self._name = table
        self._account = account_id
        self._clock = clock
        self._lease = lease

    def state(self, run_id: str) -> RunState:
        """Return how far a run got: a doubled or retried one needn't audit again."""
        item = self._table.get(self._pk("runs"), run_id)
        if item is None:
            return "new"
        return "told" if "told_at" in item else "recorded"

    def known(self) -> dict[str, Known]:
        """Return what is known of each finding, by id."""
        return {id_: one.known for id_, one in self._stored().items()}

    def record(self, run_id: str, report: Report, looked: Looked) -> Changes:
        """Store what an audit found, and return what it changed in what was known before.

        Other runs may store at the same time: of each finding, one write after the other counts,
        and the audit is held against what the other left. Once more with the same report: nothing
        changes. A run that counted only some roles counts for no day.

        An audit that is older than the latest whole one, as two runs at once may end, tells of no
        finding as new that the later one didn't find. Times more than a day ahead of the report's
        are a wrong clock's: they count as the report's.

        :raises HistoryError: if the table can't be read or written; what was stored until then
            stands, and recording again goes on from there.
        """
        first: Changes | None = None
        now = whole(report.generated_at)
        latest = self._latest(now)
        for _ in range(_ROUNDS):
            stored = self._stored()
            before = {id_: known_at(one, now) for id_, one in stored.items()}
            after, changed = live(before, report, looked, latest=latest)
            kinds = kinds_of(changed)
            first = changed if first is None else first
            writes = [
                write_of(self._pk("findings"), after[id_], stored.get(id_), kinds.get(id_), run_id)
                for id_ in sorted(after)
                if id_ not in stored or after[id_] != stored[id_].known
            ]
            if all(self._table.write(writes)):
                break
        else:
            raise HistoryError(
                f"DynamoDB table {self._name}: other runs kept changing the same findings; run it"
                " again when they have ended"
            )
        if not looked.globs:
            self._count(day_of(report))
        self._note(run_id, report)
        return first

    def claim(self, owner: str) -> Outbox | None:
        """Return all that is to be told, from this run or one that was killed; None: not now.

        None means that another run is telling at the moment: come again later, for instance by
        failing, so that the invocation is repeated. ``owner`` is the attempt, such as Lambda's
        request id: the same one may claim again at once, another one when the lease has run out.
        """
        now = int(self._clock().timestamp())
        mine = self._table.put(
            {
                **key(self._pk(_TELLING), _TELLING),
                "owner": {"S": owner},
                "expires_at": {"N": str(now + self._lease)},
            },
            # An item past its time may linger for days, so its time is looked at:
            # https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/TTL.html
            "attribute_not_exists(pk) OR expires_at <= :now OR #owner = :me",
            ExpressionAttributeNames={"#owner": "owner"},
            ExpressionAttributeValues={":now": {"N": str(now)}, ":me": {"S": owner}},
        )
        if not mine:
            return None
        return outbox_of(self._account, self._stored("attribute_exists(untold)"), owner)

    def told(self, run_id: str, outbox: Outbox) -> None:
        """Confirm that what a claim returned was told.

        With fewer than a hundred changes this is done at once or not at all. A finding that has
        changed again meanwhile stays to be told.
        """
        pk = self._pk("findings")
        clear = [told_of(pk, id_, since) for id_, since in outbox.since.items()]
        run = {
            "Update": {
                "Key": key(self._pk("runs"), run_id),
                "UpdateExpression": "SET told_at = :now",
                "ConditionExpression": "attribute_exists(pk)",
                "ExpressionAttributeValues": {":now": {"S": stamp(self._clock())}},
            }
        }
        self._table.write([*clear, run])
        self._table.delete(
            self._pk(_TELLING),
            _TELLING,
            "#owner = :me",
            ExpressionAttributeNames={"#owner": "owner"},
            ExpressionAttributeValues={":me": {"S": outbox.owner}},
        )

    def outdated(self, report: Report) -> bool:
        """Tell whether a complete audit that is later than this report was recorded meanwhile."""
        now = whole(report.generated_at)
        latest = self._latest(now)
        return latest is not None and now < latest

    def days(self) -> list[Day]:
        """Return the counts of the days, the oldest first."""
        ends = self._clock() + AHEAD
        found = (day_of_item(item) for item in self._table.items(self._pk("days")))
        return [day for day in found if day.at <= ends]

    def _latest(self, now: datetime) -> datetime | None:
        """Return when the latest complete audit ended, of ``now``'s day and the one after it."""
        days = (f"{moment:%Y-%m-%d}" for moment in (now, now + AHEAD))
        found = (
            day_of_item(item) for day in days if (item := self._table.get(self._pk("days"), day))
        )
        return max(
            (one.at for one in found if one.complete and one.at <= now + AHEAD), default=None
        )

    def _stored(self, filter_: str | None = None) -> dict[str, Stored]:
        """Return what is stored of the findings, by id."""
        found = {}
        for item in self._table.items(self._pk("findings"), filter_):
            try:
                one = stored_of(item)
            except DamagedItemError as error:
                where = visible(f"{item['pk']['S']} {item['sk']['S']}")
                raise HistoryError(
                    f"DynamoDB table {self._name}: item {where} can't be read ({error}); mend or"
                    " remove it"
                ) from error
            found[one.known.id] = one
        return found

    def _count(self, day: Day) -> None:
        self._table.put(
            day_item(self._pk("days"), day),
            "attribute_not_exists(pk) OR #at <= :at",  # a later audit of the day stays
            ExpressionAttributeNames={"#at": "at"},
            ExpressionAttributeValues={":at": {"S": stamp(day.at)}},
        )

    def _note(self, run_id: str, report: Report) -> None:
        self._table.put(
            {
                **key(self._pk("runs"), run_id),
                "generated_at": {"S": stamp(report.generated_at)},
                "summary": {"S": json.dumps(report.summary())},
                "expires_at": {"N": epoch(self._clock() + RUN_KEPT)},
            },
            "attribute_not_exists(pk)",
        )

    def _pk(self, kind: str) -> str:
        return f"{kind}#{self._account}"
