"""What is to be told of a history: one change a finding, by the versions that made them."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from auditor.life import Changes, changes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from auditor.history.items import Stored


class Outbox(NamedTuple):
    """What is to be told: nobody else tells it meanwhile.

    ``id`` is the same for the same changes. A finding that was new or reopened, and got worse or
    less grave before all were told, stands under both kinds. ``since`` are the versions that made
    the changes, by id, and ``runs`` the runs that stored the latest of them.
    """

    id: str
    changes: Changes
    since: Mapping[str, int]
    owner: str
    runs: Mapping[str, str] = MappingProxyType({})

    def made_by(self, run: str) -> Changes:
        """Return the changes that a run stored, in one try or several; of a finding, the last."""
        mine = Changes(
            *(tuple(one for one in kind if self.runs.get(one.id) == run) for kind in self.changes)
        )
        graded = {one.id for one in mine.worse + mine.eased}
        new, back = (
            tuple(one for one in kind if one.id not in graded) for kind in (mine.new, mine.reopened)
        )
        return mine._replace(new=new, reopened=back)


def outbox_of(account_id: str, untold: Mapping[str, Stored], owner: str) -> Outbox:
    """Return what is to be told of findings that are marked so, by id."""
    kinds = {id_: one.untold for id_, one in untold.items() if one.untold is not None}
    since = {id_: untold[id_].since for id_ in sorted(kinds)}
    text = json.dumps([account_id, *since.items()])
    known = {id_: replace(one.known, was=one.was) for id_, one in untold.items()}
    # Who was told of its first change already is to hear what became of it.
    later = {id_: then for id_ in kinds if (then := untold[id_].then) is not None}
    told, more = changes(known, kinds), changes(known, later)
    return Outbox(
        hashlib.sha256(text.encode()).hexdigest()[:32],
        told._replace(worse=told.worse + more.worse, eased=told.eased + more.eased),
        since,
        owner,
        {id_: untold[id_].run for id_ in since},
    )
