"""Resource patterns: what they ask of the region, the account and the name of an SES ARN.

An SES ARN is ``arn:PARTITION:ses:REGION:ACCOUNT:TYPE/NAME`` with exactly five colons (names have
none), so a pattern of six parts matches it part by part. A pattern of fewer parts is completed
with ``*``: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from auditor import domains
from auditor.engine.atoms import Option, Single
from auditor.engine.caller import REGION, RESOURCE_ACCOUNT
from auditor.engine.constraints import Test
from auditor.globs import EVERYTHING, STAR, Glob, like
from auditor.policy.values import joined
from auditor.policy.variables import resolve

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditor.engine.atoms import Atom, Clause
    from auditor.engine.conditions import Setting
    from auditor.policy.model import Statement


class Parts(NamedTuple):
    """A pattern for SES ARNs of a known partition: three globs, None where any value does."""

    region: Glob | None
    account: Glob | None
    name: Glob | None


ANY_RESOURCE: Final = Parts(None, None, None)


@lru_cache(maxsize=65_536)
def _parts_of_text(text: str, partition: str) -> Parts | None:
    """Split a pattern without variables that begins as an ARN does; the same as ``_parts``."""
    parts = text.split(":", 5)
    parts += ["*"] * (6 - len(parts))
    for part, wanted in zip(parts[1:3], (partition, "ses"), strict=True):
        if part != wanted and not like(part).matches(wanted):
            return None
    globs = [like(part) for part in parts[3:]]
    return Parts(*(None if glob == EVERYTHING else glob for glob in globs))


def _parts(glob: Glob, partition: str, *, generous: bool) -> Parts | None:
    """Split a pattern; None where it can't match an SES ARN of the partition."""
    if glob == EVERYTHING:
        return ANY_RESOURCE
    items: list[list[str]] = [[]]
    for item in glob.items:
        if item == ":" and len(items) < 6:
            items.append([])
        else:
            items[-1].append(item)
    if len(items) < 6 and items[0] != list("arn") and STAR in glob.items and generous:
        # neither an ARN nor "*": IAM refuses such a pattern, so what it would match is a guess
        return ANY_RESOURCE
    items.extend([STAR] for _ in range(6 - len(items)))
    fixed = zip(items[:3], ("arn", partition, "ses"), strict=True)
    if not all(Glob(part).matches(text) for part, text in fixed):
        return None
    rest = (Glob(part) for part in items[3:])
    return Parts(*(None if part == EVERYTHING else part for part in rest))


def _patterns(statement: Statement, setting: Setting) -> Iterator[Parts]:
    """Yield the parts of those of a statement's patterns that can match an SES ARN."""
    generous = setting.generous(allows=statement.allows) != statement.not_resource
    for text in statement.resources:
        if text == "*":
            yield ANY_RESOURCE
            continue
        if text.startswith("arn:") and "${" not in text:
            plain = _parts_of_text(text, setting.caller.partition)
            if plain is not None:
                yield plain
            continue
        glob = _glob(statement, text, setting, generous=generous)
        if glob is None:
            continue
        parts = _parts(glob, setting.caller.partition, generous=generous)
        if parts is not None:
            yield parts


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
        _completed(glob).matches(arn)
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


def _atoms(parts: Parts, kind: str, setting: Setting) -> list[Atom] | None:
    """Return what a pattern asks of a resource of this type; None where it can't match one."""
    atoms: list[Atom] = []
    if parts.account is not None:
        if setting.elsewhere:
            atoms.append(_inside(RESOURCE_ACCOUNT, domains.ACCOUNT, parts.account))
        elif not parts.account.matches(setting.caller.account):
            return None
    if parts.region is not None:
        atoms.append(_inside(REGION, domains.REGION, parts.region))
    if parts.name is not None and parts.name not in _all_of(kind):
        if not _may_start(parts.name, kind):
            return None
        atoms.append(_inside(kind, domains.RESOURCES[kind], parts.name))
    return atoms


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
    found = [
        atoms
        for parts in _patterns(statement, setting)
        if (atoms := _atoms(parts, kind, setting)) is not None
    ]
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
    found = [
        atoms
        for parts in _patterns(statement, setting)
        if (atoms := _atoms(parts, kind, setting)) is not None
    ]
    if statement.not_resource:
        return _alternatives(found)
    if any(not atoms for atoms in found):
        return []
    return [Option((), tuple(tuple(_not(atom) for atom in atoms) for atoms in found))]


def _alternatives(found: list[list[Atom]]) -> list[Option]:
    """Return one option a pattern; those that ask for the name alone are one test together."""
    if [] in found:
        return [Option(())]
    names: dict[str, list[Single]] = {}
    options: list[Option] = []
    for atoms in found:
        only = atoms[0]
        if len(atoms) == 1 and isinstance(only, Single):
            names.setdefault(only.variable, []).append(only)
        else:
            options.append(Option(tuple(atoms)))
    for singles in names.values():
        matchers = frozenset(m for single in singles if single.test for m in single.test.matchers)
        options.append(Option((singles[0]._replace(test=Test(matchers, inside=True)),)))
    return options
