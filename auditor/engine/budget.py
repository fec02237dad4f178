"""The work that may be spent on one role, counted in steps."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from auditor.errors import Undecidable

if TYPE_CHECKING:
    from collections.abc import Iterator

ROLE_BUDGET: Final = 3_000_000
"""Work for one role, in steps of about a microsecond: real roles need some thousands. Nothing
stops a policy from encoding a satisfiability problem, and this is where such a one ends. Counted
in steps and charged whether or not an answer was remembered from another role, so that a verdict
depends neither on the machine nor on what was decided before."""

ENTANGLED: Final = (
    f"the policies are too entangled to decide within the budget of {ROLE_BUDGET:,} steps"
)
"""Why a role is undetermined whose budget ran out."""


class Budget:
    """The work that is left for one role's questions."""

    def __init__(self, steps: int = ROLE_BUDGET) -> None:
        self.left = steps
        self.paid: set[object] = set()
        self.dear = 0
        """Dear answers met: each is charged once, so what the rest cost hangs on the order."""

    @contextmanager
    def shared(self) -> Iterator[Budget]:
        """Lend half of what is left, for one action: the others must get their turn."""
        part = Budget(self.left // 2)
        part.paid = self.paid
        self.left -= part.left
        try:
            yield part
        finally:
            self.left += max(part.left, 0)
            self.dear += part.dear

    def spend(self, steps: int) -> None:
        """Raise ``Undecidable`` where no more is left."""
        self.left -= steps
        if self.left < 0:
            raise Undecidable(ENTANGLED)

    def pay(self, cost: int, question: object) -> None:
        """Spend what an answer cost, a dear one (it names its question) only once."""
        if question is None:
            self.spend(cost)
            return
        self.dear += 1
        if question in self.paid:
            self.spend(1)
        else:
            self.paid.add(question)
            self.spend(cost)
