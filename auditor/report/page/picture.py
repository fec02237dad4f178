"""The page's picture: which roles reach whom, through which statements, in a few broad ways."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final, NamedTuple

from auditor.report.page.words import ANYBODY, kind_of, opens, place_of, real_of
from auditor.report.words import closed_words, limits_words
from auditor.rules.catalogue import RULES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from auditor.findings import RoleReport

WAYS_MAX: Final = 8
"""Ways drawn one by one. Where there are more, those of one rule are drawn as one."""
SHUT_MAX: Final = 4
"""Ways of roles of one safe verdict that are drawn one by one; more are drawn as one."""
LIMITED: Final = {
    "simulator_only": "Denies and other limits keep their sends within the simulator",
    "no_send": "Denies and other limits end their sends",
}
"""Said of several roles that are closed by limits of their own."""
NAMED_MAX: Final = 3
NOT_FOUND: Final = "what was found is covered by an exception, what could not be read is not"
_WIDTHS: Final = (1, 5, 20, 100)  # roles from which on an arrow gets wider


class Named(NamedTuple):
    """A role, by its place in the page's list."""

    place: int
    name: str


class Way(NamedTuple):
    """Roles, why they get through or don't, by which statements, and whom they reach.

    ``kind`` is a verdict, or an exposed role's certainty. ``width`` is the arrow's, 1 to 5.
    """

    kind: str
    roles: int
    named: tuple[Named, ...]
    why: str
    rule: str | None
    through: tuple[str, ...]
    more: int
    whom: str
    such: str
    width: int


class _One(NamedTuple):
    """One exposed role's worst request."""

    named: Named
    kind: str
    rule: str | None
    through: tuple[str, ...]
    such: str


def ways(roles: Sequence[RoleReport]) -> list[Way]:
    """Return the ways, worst first. ``roles`` are in the order of the page's list."""
    return [*_open(roles), *_shut(roles)]


def _open(roles: Sequence[RoleReport]) -> Iterator[Way]:
    found = [_worst(n, role) for n, role in enumerate(roles) if role.open_certainty()]
    groups: dict[object, list[_One]] = {}
    for one in found:
        groups.setdefault((one.kind, one.rule, one.through), []).append(one)
    if len(groups) > WAYS_MAX:
        groups = {}
        for one in found:
            groups.setdefault((one.kind, one.rule), []).append(one)
    # "proven" sorts after "possible": the surest first, then what concerns most roles
    ordered = sorted(groups.values(), key=lambda ones: (ones[0].kind != "proven", -len(ones)))
    for ones in ordered:
        through = list(dict.fromkeys(line for one in ones for line in one.through))
        sure = ones[0].kind == "proven"
        yield Way(
            kind=ones[0].kind,
            roles=len(ones),
            named=tuple(one.named for one in ones[:NAMED_MAX]),
            why=_why(ones[0].rule),
            rule=ones[0].rule,
            through=tuple(through[:NAMED_MAX]),
            more=max(0, len(through) - NAMED_MAX),
            whom="Real people" if sure else "Real people, possibly",
            such=Counter(one.such for one in ones).most_common(1)[0][0],
            width=_width(len(ones)),
        )


def _worst(place: int, role: RoleReport) -> _One:
    finding = role.worst()
    if finding is None or not opens(finding):
        return _One(Named(place, role.name), kind_of(role), None, (), NOT_FOUND)
    witness = finding.witness
    real = None if witness is None else real_of(witness)
    return _One(
        Named(place, role.name),
        kind_of(role),
        finding.rule,
        tuple(place_of(ref) for ref in finding.statements),
        f"such as {real}" if real else ANYBODY,
    )


_SHUT: Final = (
    ("undetermined", "It could not be decided", "Not known", "don't count these roles as safe"),
    (
        "excepted",
        "Exceptions cover every finding that exposes it",
        "Real people",
        "somebody answers for it until a day",
    ),
    (
        "simulator_only",
        "Every send that is allowed goes to the simulator alone",
        "The mailbox simulator",
        "no real person",
    ),
    ("no_send", "No send to an address of its choosing is allowed", "Nobody", "no such mail"),
)


def _shut(roles: Sequence[RoleReport]) -> Iterator[Way]:
    for kind, why, whom, such in _SHUT:
        here = [(n, role) for n, role in enumerate(roles) if kind_of(role) == kind]
        for told, by, ones in _alike(here, why):
            lines = _reasons(roles) if kind == "undetermined" else by
            yield Way(
                kind=kind,
                roles=len(ones),
                named=tuple(Named(n, role.name) for n, role in ones[:NAMED_MAX]),
                why=told,
                rule=None,
                through=tuple(lines[:NAMED_MAX]),
                more=max(0, len(lines) - NAMED_MAX),
                whom=whom,
                such=such,
                width=_width(len(ones)),
            )


def _alike(
    here: Sequence[tuple[int, RoleReport]], why: str
) -> Iterator[tuple[str, list[str], list[tuple[int, RoleReport]]]]:
    """Yield how roles are closed, by what, and which, most roles first.

    ``why`` is told of roles of which only that is known.
    """
    few = len({(_how(role, why), *_by(role)) for _, role in here}) <= SHUT_MAX
    groups: dict[object, list[tuple[int, RoleReport]]] = {}
    for n, role in here:
        key = (_how(role, why), *_by(role)) if few else _how(role, why, broadly=True)
        groups.setdefault(key, []).append((n, role))
    for ones in sorted(groups.values(), key=lambda ones: -len(ones)):
        by = dict.fromkeys(line for _, role in ones for line in _by(role))
        yield _how(ones[0][1], why, broadly=not few), list(by), ones


def _how(role: RoleReport, why: str, *, broadly: bool = False) -> str:
    """Return how a role is closed; ``broadly`` in words that hold of several roles."""
    limited = role.closed is not None and role.closed.how in ("each", "together")
    return LIMITED[role.verdict] if limited and broadly else closed_words(role) or why


def _by(role: RoleReport) -> list[str]:
    return [] if role.closed is None else limits_words(role.closed)


def _reasons(roles: Sequence[RoleReport]) -> list[str]:
    undecided = (role for role in roles if role.verdict == "undetermined")
    return list(dict.fromkeys(role.reason or "no reason was recorded" for role in undecided))


def _why(rule: str | None) -> str:
    """Return a rule's sentence without a role and an action of its own."""
    if rule not in RULES:
        return "A request was found that AWS would allow"
    said = RULES[rule].title.format(role="", action="a send action").lstrip(" :")
    said = said.replace("a send action, whose", "a send action whose")
    return said[:1].upper() + said[1:]


def _width(roles: int) -> int:
    return 1 + sum(roles >= limit for limit in _WIDTHS)
