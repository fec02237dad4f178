"""One concrete request: what a witness is, and what the evaluator judges."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

Value = str | tuple[str, ...]


class Request(NamedTuple):
    """A call by the role: its action, the ARNs it is authorised on, its context.

    ``context`` maps keys as AWS spells them to a text, or to a tuple for multivalued keys. What
    isn't listed is absent, but for what is known of every session of the role.
    """

    action: str
    resources: tuple[str, ...]
    context: Mapping[str, Value]
