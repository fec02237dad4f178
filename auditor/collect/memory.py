"""Keeping Python's search for reference cycles out of work that makes none."""

from __future__ import annotations

import contextlib
import gc
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextlib.contextmanager
def cycle_search_paused() -> Iterator[None]:
    """Keep the garbage collector from walking a growing heap that has no cycles in it.

    Reading JSON makes millions of objects and no garbage: on 50,000 roles (140 MB) the collector's
    walks took more than half of the time. Roles and reports have no cycles either. Ends as it
    began: a collector that was off stays so.
    https://docs.python.org/3/library/gc.html#gc.disable
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


_kept: list[object] = []


def keep_to_the_end(*values: object) -> None:
    """Leave values to the end of the process, when the system takes all memory back at once.

    For a command that is as good as done: freeing the objects of a large account and its report one
    by one, and searching them for cycles before, takes a fifth of a scan. The list holds itself, so
    that Python's end, which drops what modules hold, leaves it a cycle in a heap that is frozen,
    and so not searched. What an earlier call left is freed.
    https://docs.python.org/3/library/gc.html#gc.freeze
    """
    gc.unfreeze()
    _kept.clear()
    _kept.extend((*values, _kept))
    gc.freeze()
