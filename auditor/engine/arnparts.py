"""Resource patterns split into what they ask of an SES ARN's region, account and name.

An SES ARN is ``arn:PARTITION:ses:REGION:ACCOUNT:TYPE/NAME`` with exactly five colons (names have
none), so a pattern of six parts matches it part by part: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
"""

from __future__ import annotations

from functools import lru_cache
from itertools import combinations_with_replacement
from typing import TYPE_CHECKING, Final, NamedTuple

from auditor.globs import EVERYTHING, STAR, Glob, like

if TYPE_CHECKING:
    from collections.abc import Iterable


class Parts(NamedTuple):
    """A pattern for SES ARNs of a known partition: three globs, None where any value does."""

    region: Glob | None
    account: Glob | None
    name: Glob | None


ANY_RESOURCE: Final = Parts(None, None, None)


WAYS_MAX: Final = 256
"""Ways to lay a short pattern's stars over the colons of an ARN; beyond, it is taken to match."""


@lru_cache(maxsize=16_384)
def plain_parts(text: str, partition: str, *, generous: bool) -> tuple[Parts, ...]:
    """Split a pattern without variables."""
    parts = text.split(":", 5)
    if len(parts) == 6 or (not generous and parts[0] == "arn"):
        parts += ["*"] * (6 - len(parts))
        for part, wanted in zip(parts[:3], ("arn", partition, "ses"), strict=True):
            if part != wanted and not like(part).matches(wanted):
                return ()
        return (_kept(like(part) for part in parts[3:]),)
    return split(like(text), partition, generous=generous)


def _kept(globs: Iterable[Glob]) -> Parts:
    return Parts(*(None if glob == EVERYTHING else glob for glob in globs))


def split(glob: Glob, partition: str, *, generous: bool) -> tuple[Parts, ...]:
    """Split a pattern; one entry for each way in which it can match an SES ARN of the partition.

    A pattern of fewer than six parts is completed with ``*``. AWS's page also says that a ``*`` at
    the end of a part may reach beyond the colon: where that would matter the two disagree, and
    the generous reading takes both.
    """
    if glob == EVERYTHING:
        return (ANY_RESOURCE,)
    colons = glob.items.count(":")
    missing = 5 - colons
    found = [(*glob.items, *((":", STAR) * missing))]
    if generous and missing > 0:
        spread = _spread(glob.items, missing)
        if spread is None:
            return (ANY_RESOURCE,)
        found += spread
    ways = (_split(items, partition) for items in dict.fromkeys(found))
    return tuple(parts for parts in ways if parts is not None)


def _spread(items: tuple[str, ...], missing: int) -> list[tuple[str, ...]] | None:
    """Return the ways in which wildcards stand for the missing colons; None: too many."""
    wild = [at for at, item in enumerate(items) if len(item) > 1]
    ways: list[tuple[str, ...]] = []
    for chosen in combinations_with_replacement(wild, missing):
        if len(ways) >= WAYS_MAX:
            return None
        if any(items[at] != STAR and chosen.count(at) > 1 for at in chosen):
            continue
        out: list[str] = []
        for at, item in enumerate(items):
            colons = chosen.count(at)
            if item == STAR:
                out += [STAR, *((":", STAR) * colons)]
            else:
                out.append(":" if colons else item)
        ways.append(tuple(out))
    return ways


def _split(items: tuple[str, ...], partition: str) -> Parts | None:
    """Split a pattern of six parts; None where it can't match an SES ARN of the partition."""
    parts: list[list[str]] = [[]]
    for item in items:
        if item == ":" and len(parts) < 6:
            parts.append([])
        else:
            parts[-1].append(item)
    fixed = zip(parts[:3], ("arn", partition, "ses"), strict=True)
    if not all(Glob(part).matches(text) for part, text in fixed):
        return None
    return _kept(Glob(part) for part in parts[3:])
