"""What a command leaves to the end of the process, and what it doesn't."""

from __future__ import annotations

import gc
import subprocess
import sys
import weakref

from auditor.collect.memory import keep_to_the_end


class Large:
    """Something that tells when it is freed."""


def test_only_the_last_call_keeps_anything() -> None:
    """A process that scans twice holds one account, not two; nothing of the first is left."""
    first, second = Large(), Large()
    seen = weakref.ref(first), weakref.ref(second)
    keep_to_the_end(first)
    del first
    kept = seen[0]()
    keep_to_the_end(second)
    del second, kept
    still = seen[0](), seen[1]() is not None
    keep_to_the_end()
    gc.unfreeze()

    assert still == (None, True)
    assert seen[1]() is None


ENDING = """
import atexit
from auditor.collect.memory import keep_to_the_end
class Large:
    def __del__(self):
        print("freed")
atexit.register(print, "farewell")
keep_to_the_end(Large())
"""


def test_the_end_of_the_process_frees_nothing_and_runs_what_is_registered() -> None:
    """Exit handlers run as ever; what was kept is left to the system."""
    done = subprocess.run(  # noqa: S603 - our own text
        [sys.executable, "-c", ENDING], capture_output=True, text=True, check=True
    )

    assert done.stdout == "farewell\n"
