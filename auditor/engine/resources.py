"""Resource patterns: what they ask of the region, the account and the name of an SES ARN.

An SES ARN is ``arn:PARTITION:ses:REGION:ACCOUNT:TYPE/NAME`` with exactly five colons (names have
none), so a pattern of six parts matches it part by part: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
"""

from __future__ import annotations

from functools import lru_cache
from itertools import combinations_with_replacement
from typing import TYPE_CHECKING, Final, NamedTuple

from auditor import domains
from auditor.engine.atoms import Option, Single
from auditor.engine.caller import REGION, RESOURCE_ACCOUNT
from auditor.engine.constraints import Test
from auditor.globs import EVERYTHING, STAR, Glob, like
from auditor.policy.values import joined
from auditor.policy.variables import resolve

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from auditor.engine.atoms import Atom, Clause
    from auditor.engine.conditions import Setting
    from auditor.policy.model import Statement


class Parts(NamedTuple):
    """A pattern for SES ARNs of a known partition: three globs, None where any value does."""

    region: Glob | None
    account: Glob | None
    name: Glob | None


ANY_RESOURCE: Final = Parts(None, None, None)


WAYS_MAX: Final = 256
"""Ways to lay a short pattern's stars over the colons of an ARN; beyond, it is taken to match."""


@lru_cache(maxsize=16_384)
def _plain_parts(text: str, partition: str, *, generous: bool) -> tuple[Parts, ...]:
    """Split a pattern without variables."""
    parts = text.split(":", 5)
    if len(parts) == 6 or (not generous and parts[0] == "arn"):
        parts += ["*"] * (6 - len(parts))
        for part, wanted in zip(parts[:3], ("arn", partition, "ses"), strict=True):
            if part != wanted and not like(part).matches(wanted):
                return ()
        return (_kept(like(part) for part in parts[3:]),)
    return _parts(like(text), partition, generous=generous)


def _kept(globs: Iterable[Glob]) -> Parts:
    return Parts(*(None if glob == EVERYTHING else glob for glob in globs))


def _parts(glob: Glob, partition: str, *, generous: bool) -> tuple[Parts, ...]:
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
    split = (_split(items, partition) for items in dict.fromkeys(found))
    return tuple(parts for parts in split if parts is not None)


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


def _with_stars(text: str, setting: Setting) -> tuple[tuple[str, bool], ...]:
    """Resolve what can be; what can't may stand for any text, as ``*`` does."""
    stars: list[tuple[str, bool]] = []
    rest = text
    while (opened := rest.find("${")) >= 0 and (closed := rest.find("}", opened)) >= 0:
        stars.append((rest[:opened], False))
        part = resolve(rest[opened : closed + 1], setting.lookup)
        stars.extend((("*", False),) if part is None else part)
        rest = rest[closed + 1 :]
    return (*stars, (rest, False))


def holds(statement: Statement, arn: str, setting: Setting) -> bool:
    """Tell whether a statement's resources hold one given ARN, whatever its service."""
    generous = setting.generous(allows=statement.allows) != statement.not_resource
    return statement.not_resource != any(
        _completed(glob).matches(arn) or (generous and glob.matches(arn))
        for text in statement.resources
        if (glob := _glob(statement, text, setting, generous=generous)) is not None
    )


@lru_cache(maxsize=65_536)
def _completed(glob: Glob) -> Glob:
    missing = 5 - sum(1 for item in glob.items if item == ":")
    if glob == EVERYTHING or missing <= 0:
        return glob
    return Glob((*glob.items, *((":", STAR) * missing)))


def _glob(statement: Statement, text: str, setting: Setting, *, generous: bool) -> Glob | None:
    """Return a pattern with its variables in place; None where it is taken to match nothing."""
    if not statement.variables or "${" not in text:
        return like(text)
    resolved = resolve(text, setting.lookup)
    if resolved is None:
        if not generous:
            return None
        resolved = _with_stars(text, setting)
    return joined(resolved, wild=True, fold=False)


def whole(text: str) -> bool:
    """Tell whether a pattern plainly means the same under both readings: it has all six parts."""
    return text == "*" or (text.count(":") >= 5 and "${" not in text)


Asked = tuple["Atom", ...]
"""What one pattern asks of a resource."""


def _asked(statement: Statement, kind: str, setting: Setting) -> list[Asked]:
    """Return what each of a statement's patterns asks that can match a resource of this type."""
    generous = setting.generous(allows=statement.allows) != statement.not_resource
    caller = setting.caller
    owner = None if setting.elsewhere else caller.account
    found: list[Asked] = []
    for text in statement.resources:
        if text == "*":
            found.append(())
        elif "${" not in text:
            found += _plainly_asked(text, caller.partition, owner, kind, generous)
        else:
            glob = _glob(statement, text, setting, generous=generous)
            if glob is not None:
                split = _parts(glob, caller.partition, generous=generous)
                found += _of_kind(split, kind, owner)
    return found


@lru_cache(maxsize=16_384)
def _plainly_asked(
    text: str, partition: str, owner: str | None, kind: str, generous: bool
) -> tuple[Asked, ...]:
    """Return what a pattern without variables asks; an entry for each way in which it matches."""
    return tuple(_of_kind(_plain_parts(text, partition, generous=generous), kind, owner))


def _of_kind(split: Iterable[Parts], kind: str, owner: str | None) -> Iterator[Asked]:
    """Yield what the parts ask that can match a resource of this type.

    ``owner`` is the account that the resource is in, None for any other.
    """
    for parts in split:
        atoms: list[Atom] = []
        if parts.account is not None:
            if owner is None:
                atoms.append(_inside(RESOURCE_ACCOUNT, domains.ACCOUNT, parts.account))
            elif not parts.account.matches(owner):
                continue
        if parts.region is not None:
            atoms.append(_inside(REGION, domains.REGION, parts.region))
        if parts.name is not None and parts.name not in _all_of(kind):
            if not _may_start(parts.name, kind):
                continue
            atoms.append(_inside(kind, domains.RESOURCES[kind], parts.name))
        yield tuple(atoms)


def _inside(variable: str, domain: domains.Domain, glob: Glob) -> Single:
    test = Test(frozenset((glob,)), inside=True)
    return Single(variable, domain, optional=False, absent=False, test=test)


@lru_cache(maxsize=16)
def _all_of(kind: str) -> frozenset[Glob]:
    return frozenset((like(f"{kind}/*"), like(f"{kind}*"), like(f"{kind}/?*")))


@lru_cache(maxsize=65_536)
def _may_start(glob: Glob, kind: str) -> bool:
    """Tell whether a name pattern's literal start agrees with ``kind/`` (an upper bound)."""
    for item, char in zip(glob.items, f"{kind}/", strict=False):
        if len(item) > 1:
            return True
        if item != char:
            return False
    return len(glob.items) > len(kind)


def _not(atom: Atom) -> Option:
    assert isinstance(atom, Single)  # noqa: S101 - resources ask for nothing else
    assert atom.test is not None  # noqa: S101
    return Option((atom._replace(test=atom.test.negated()),))


_HOLDS: Final = Option(())
"""An option that asks for nothing."""


def matching(statement: Statement, kind: str, setting: Setting) -> list[Option]:
    """Return the ways in which a statement's resources hold one of this type; [] if they can't.

    An option without atoms and clauses holds always.
    """
    found = _asked(statement, kind, setting)
    if not statement.not_resource:
        return _alternatives(found)
    clauses: list[Clause] = []
    for atoms in found:
        if not atoms:
            return []
        clauses.append(tuple(_not(atom) for atom in atoms))
    return [Option((), tuple(clauses))]


def failing(statement: Statement, kind: str, setting: Setting) -> list[Option]:
    """Return the ways in which a statement's resources don't hold a resource of this type."""
    found = _asked(statement, kind, setting)
    if statement.not_resource:
        return _alternatives(found)
    if any(not atoms for atoms in found):
        return []
    return [Option((), tuple(tuple(_not(atom) for atom in atoms) for atoms in found))]


def _alternatives(found: list[Asked]) -> list[Option]:
    """Return one option a pattern; those that ask for the name alone are one test together."""
    if () in found:
        return [_HOLDS]
    if len(found) == 1:
        return [Option(found[0])]
    names: dict[str, list[Single]] = {}
    options: list[Option] = []
    for atoms in found:
        only = atoms[0]
        if len(atoms) == 1 and isinstance(only, Single):
            names.setdefault(only.variable, []).append(only)
        else:
            options.append(Option(atoms))
    for singles in names.values():
        matchers = frozenset(m for single in singles if single.test for m in single.test.matchers)
        options.append(Option((singles[0]._replace(test=Test(matchers, inside=True)),)))
    return options
