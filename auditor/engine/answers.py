"""Answers about one action, remembered from role to role by all that they hang on.

An answer hangs on the statements that name the action, and on what those ask about the caller. So
roles that share a policy share what was found out about the actions which only that policy names.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from auditor.engine.decision import Exposure
    from auditor.engine.layers import Located

REMEMBERED: Final = 8_192
"""Answers kept, the last used: a few for each distinct role of a large account."""


class Known(NamedTuple):
    """An answer (None: there is no such request) and the steps that finding it out took.

    ``about`` are the statements that it hangs on, in the order of the key it is kept under.
    """

    exposure: Exposure | None
    steps: int
    about: tuple[Located, ...]

    def moved(self, about: Sequence[Located]) -> Exposure | None:
        """Return the answer with its statements where they stand in another role."""
        if self.exposure is None:
            return None
        places = dict(zip(self.about, about, strict=True))
        return self.exposure._replace(allows=tuple(places[one] for one in self.exposure.allows))


class Answers:
    """What is known of single actions; the least recently used is forgotten first."""

    def __init__(self) -> None:
        self._known: OrderedDict[Hashable, Known] = OrderedDict()

    def recall(self, key: Hashable) -> Known | None:
        """Return what is known under a key."""
        known = self._known.get(key)
        if known is not None:
            self._known.move_to_end(key)
        return known

    def keep(self, key: Hashable, known: Known) -> None:
        """Remember an answer."""
        self._known[key] = known
        if len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
