"""A statement's resources as atoms: what they ask of an SES ARN of one resource type."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from auditor import domains
from auditor.engine.arnparts import plain_parts, split
from auditor.engine.atoms import TRUE, Option, Single
from auditor.engine.caller import REGION, RESOURCE_ACCOUNT
from auditor.engine.constraints import Test
from auditor.globs import EVERYTHING, STAR, Glob, like
from auditor.policy.values import joined
from auditor.policy.variables import resolve

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from auditor.engine.arnparts import Parts
    from auditor.engine.atoms import Atom, Clause
    from auditor.engine.conditions import Setting
    from auditor.policy.model import Statement


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
                ways = split(glob, caller.partition, generous=generous)
                found += _of_kind(ways, kind, owner)
    return found


@lru_cache(maxsize=16_384)
def _plainly_asked(
    text: str, partition: str, owner: str | None, kind: str, generous: bool
) -> tuple[Asked, ...]:
    """Return what a pattern without variables asks; an entry for each way in which it matches."""
    return tuple(_of_kind(plain_parts(text, partition, generous=generous), kind, owner))


def _of_kind(ways: Iterable[Parts], kind: str, owner: str | None) -> Iterator[Asked]:
    """Yield what the parts ask that can match a resource of this type.

    ``owner`` is the account that the resource is in, None for any other.
    """
    for parts in ways:
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
        return [TRUE]
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
