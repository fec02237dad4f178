"""Why a role has its verdict: what opens it and what would close it, or what keeps it safe."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from auditor.actions import BULK
from auditor.audit import audit
from auditor.engine.trial import Trial
from auditor.explain.ask import owners
from auditor.explain.becoming import becoming
from auditor.explain.closing import Closing, closings, guarded
from auditor.explain.evidence import Heard, about, failing, hear
from auditor.explain.judge import TWIN
from auditor.explain.keeping import Keeping, keeping
from auditor.explain.through import whys
from auditor.explain.world import world_of
from auditor.rules.classify import rule_of
from auditor.scope import in_scope
from auditor.standing import Standing

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from auditor.account import Account, Role
    from auditor.engine.decision import Decision, Exposure
    from auditor.engine.layers import Located
    from auditor.explain.becoming import Becoming
    from auditor.explain.world import World
    from auditor.findings import Certainty, Finding, RoleReport, Verdict


class Way(NamedTuple):
    """Sends that are exposed alike: by the same Allows, with the same request but for the action.

    ``missed`` are the Denies that bear on them and don't apply to the request, with the reasons;
    ``doubts`` why they are only possible; ``closings`` what would close them. ``rules`` are
    the rules that a scan finds them by. ``through`` are their Allows, each once, with the reasons
    why the conditions on recipients hold.
    """

    exposures: tuple[Exposure, ...]
    missed: tuple[Heard, ...]
    doubts: tuple[str, ...]
    closings: tuple[Closing, ...]
    rules: tuple[str, ...]
    through: tuple[tuple[Located, tuple[str, ...]], ...]


class Story(NamedTuple):
    """All there is to tell of a role.

    ``verdict``, ``certainty`` and ``reason`` are a scan's. ``own`` is the engine's decision by the
    role's own policies, which differs where the role may become another (``chain`` is a
    scan's finding, ``becoming`` the way there).
    ``keeping`` is there where ``own`` is safe, ``guard`` where it is exposed in several ways.
    ``without`` and ``whatever`` are the decisions on an undetermined role if the documents that
    can't be read weren't there, and if they allowed everything.
    """

    role: Role
    scanned: bool
    verdict: Verdict
    certainty: Certainty | None
    reason: str | None
    own: Decision
    ways: tuple[Way, ...]
    guard: Closing | None
    keeping: Keeping | None
    chain: Finding | None
    becoming: Becoming | None
    others: tuple[Finding, ...]
    unread: tuple[str, ...]
    without: Decision | None
    whatever: Decision | None
    missing: tuple[str, ...]


def explain(account: Account, role: Role, now: datetime) -> Story:
    """Tell why a role of an account has its verdict, at a time (aware)."""
    standing = Standing(account, int(now.timestamp()))
    world = world_of(standing, role)
    own = world.decide()
    report = _scanned(account, role, now)
    ways = tuple(_way(world, group) for group in _alike(own.exposures))
    findings = report.findings if report is not None else ()
    unread = (*world.unread, *(reason for one in world.identities for reason in one.unread))
    chain = next((one for one in findings if one.rule == "assumable-sender"), None)
    safe = own.verdict in ("no_send", "simulator_only")
    undecided = own.verdict == "undetermined" and bool(world.unread)
    return Story(
        role=role,
        scanned=report is not None,
        verdict=report.verdict if report is not None else own.verdict,
        certainty=report.certainty if report is not None else own.certainty,
        reason=report.reason if report is not None else own.reason,
        own=own,
        ways=ways,
        guard=guarded(world) if own.exposures else None,
        keeping=keeping(world) if safe else None,
        chain=chain,
        becoming=None if chain is None else becoming(account, standing, role, now),
        others=tuple(one for one in findings if one.severity in ("low", "info")),
        unread=tuple(dict.fromkeys(unread)),
        without=world.forgetting().decide() if undecided else None,
        whatever=world.generous().decide() if undecided else None,
        missing=account.not_evaluated,
    )


def _scanned(account: Account, role: Role, now: datetime) -> RoleReport | None:
    """Return what a scan reports of the role, so that the two never differ."""
    if not in_scope(role):
        return None
    report = audit(account, now=now, role_globs=[role.arn])
    return next((one for one in report.roles if one.arn == role.arn), None)


def _alike(exposures: Iterable[Exposure]) -> list[tuple[Exposure, ...]]:
    groups: dict[object, list[Exposure]] = {}
    for one in exposures:
        context = tuple(sorted(one.request.context.items()))
        key = (one.allows, one.certainty, one.plain, one.request.resources, context)
        groups.setdefault(key, []).append(one)
    return [tuple(group) for group in groups.values()]


def _way(world: World, group: tuple[Exposure, ...]) -> Way:
    missed = tuple(_missed(world, group))
    return Way(
        group,
        missed,
        tuple(_doubts(world, group[0])) if group[0].certainty == "possible" else (),
        closings(world, group, tuple(dict.fromkeys(one.located for one in missed))),
        tuple(dict.fromkeys(rule_of(one, world.layers) for one in group)),
        tuple((one, tuple(whys(one, group[0], world))) for one in dict.fromkeys(group[0].allows)),
    )


def _missed(world: World, group: tuple[Exposure, ...]) -> Iterator[Heard]:
    """Yield the Denies on the actions, and why they don't apply to the request, each once."""
    told: set[object] = set()
    for exposure in group:
        request = exposure.request
        trial = Trial(request, world.caller, least=exposure.question.setting.least)
        for arn in request.resources:
            for one in about(request, world, arn):
                statement = one.statement
                if statement.allows or one in told:
                    continue
                told.add(one)
                if not trial.is_about(statement, arn, leaning=trial.least):
                    yield Heard(one, arn, "resource")
                else:
                    failed = failing(request, world, one, leaning=trial.least)
                    yield Heard(one, arn, "conditions", failed)


def _doubts(world: World, exposure: Exposure) -> Iterable[str]:
    """Return why an exposure is only possible."""
    if exposure.question.setting.least:
        return world.unread
    found = dict.fromkeys((*world.unread, *_open(world, exposure)))
    # the one way that is left: under the least reading, sender and identity are tied to each other
    return found or ("whether the identity must be that of the From address",)


def _open(world: World, exposure: Exposure) -> Iterator[str]:
    """Yield what AWS leaves open that an exposure's request rests on."""
    request, action = exposure.request, exposure.action
    if action.name == BULK:
        yield f"whether {BULK} is checked as {TWIN} too, recipients included"
    for one in hear(request, world):
        if one.fate == "open":
            yield from one.doubts
    kinds = exposure.question.kinds
    if set(kinds) != set(action.required):
        yield (
            f"whether the call is checked on {' and '.join(action.required)}, as its reference"
            f" lists, or on {' and '.join(kinds)} alone"
        )
    for owner in owners(request, world.caller):
        yield f"what account {owner} says of it: its policies must allow it too"
