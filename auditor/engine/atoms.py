"""What a condition, or its failing, asks of one key: the atoms that the solver conjoins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from auditor.domains import Domain
    from auditor.engine.constraints import Test


class Single(NamedTuple):
    """One value: absent where ``absent`` allows it, or present and passing ``test``.

    ``test`` None: it may not be present. ``presence`` tells whether the key can be left out.
    """

    variable: str
    domain: Domain
    optional: bool
    absent: bool
    test: Test | None


class Each(NamedTuple):
    """Every member of the recipients passes."""

    test: Test


class Some(NamedTuple):
    """At least one member of the recipients passes."""

    test: Test


Atom = Single | Each | Some


class Option(NamedTuple):
    """One way to satisfy a clause: all its atoms, then all its further clauses.

    ``chosen`` is the statement that this way relies on (an Allow), or None.
    """

    atoms: tuple[Atom, ...]
    then: tuple[Clause, ...] = ()
    chosen: object = None


Clause = tuple[Option, ...]
"""Alternatives, at least one of which must hold. Empty: nothing can."""

TRUE: Final = Option(())
"""An option that asks for nothing."""
