"""Which roles may become which, by trying every request that could matter.

Keys of sts:AssumeRole that the caller chooses: see
https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecuritytokenservice.html
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from tests.judge.concrete import Reading, Request, Values
from tests.judge.sampling import asked, candidates, clocks

from .world import Actor, World, facts, permits, sessions

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

CHOSEN = ("sts:externalid", "sts:rolesessionname", "aws:sourceip", "aws:sourcevpce")
LEVELS = ("undetermined", "possible", "proven")


def _contexts(
    world: World, actor: Actor, target: Actor, session: str, now: int
) -> Iterator[dict[str, Values]]:
    """Yield every combination of values that the documents tell apart."""
    documents = [target.trust, *actor.subject.policies]
    documents += [] if actor.subject.boundary is None else [actor.subject.boundary]
    documents += [document for level in world.bound() for document in level]
    subject = actor.subject
    fixed: dict[str, Values] = {
        "aws:principalarn": subject.arn,
        "aws:principalaccount": subject.arn.split(":")[4],
        "aws:principaltype": "AssumedRole",
        "aws:principalisawsservice": "false",
        "aws:viaawsservice": "false",
        "aws:resourceaccount": target.subject.arn.split(":")[4],
        "aws:userid": f"{subject.role_id}:{session}",
        **{f"aws:principaltag/{k.lower()}": v for k, v in subject.tags.items()},
        **{f"aws:resourcetag/{k.lower()}": v for k, v in target.subject.tags.items()},
        **{f"iam:resourcetag/{k.lower()}": v for k, v in target.subject.tags.items()},
        **facts(world),
    }
    found: dict[str, dict[str | None, None]] = {key: {None: None} for key in CHOSEN}
    # A value that no document speaks of.
    found["sts:externalid"]["unheard-of"] = None
    found["sts:rolesessionname"] = {"x1": None}
    for operator, key, value in asked(documents):
        if key in found:
            found[key].update(dict.fromkeys(candidates(operator, key, value)))
    regions = {"us-east-1", "eu-west-1"} | {
        value for _, key, value in asked(documents) if key == "aws:requestedregion"
    }
    found["aws:requestedregion"] = dict.fromkeys(sorted(regions))
    found["aws:epochtime"] = dict.fromkeys(str(at) for at in clocks(documents, now))
    for values in itertools.product(*found.values()):
        chosen = zip(found, values, strict=True)
        yield {**fixed, **{key: value for key, value in chosen if value is not None}}


def edge(world: World, actor: Actor, target: Actor, now: int) -> str | None:
    """Return how sure it is that a role may assume another: ``proven``, ``possible`` or None."""
    best = None
    for session in dict.fromkeys(sessions(actor, [target.trust])):
        for context in _contexts(world, actor, target, session, now):
            at = int(str(context["aws:epochtime"]))
            context["aws:currenttime"] = str(at)
            request = Request("sts:AssumeRole", target.subject.arn, context)
            for reading in (Reading.MOST, Reading.LEAST):
                if not permits(
                    world,
                    actor,
                    session,
                    request,
                    reading,
                    resource=(target.trust,),
                    needs_resource=True,
                ):
                    break
                if reading is Reading.LEAST:
                    return "proven"
                best = "possible"
    return best


def edges(world: World, now: int) -> dict[str, dict[str, str]]:
    """Return for each role the roles that it may become, and how sure that is."""
    found: dict[str, dict[str, str]] = {actor.name: {} for actor in world.actors}
    for actor, target in itertools.permutations(world.actors, 2):
        level = edge(world, actor, target, now)
        if level is not None:
            found[actor.name][target.name] = level
    return found


def becomes(start: str, steps: Mapping[str, Mapping[str, str]], ends: Mapping[str, str]) -> str:
    """Return what a role comes to through its chains: the best of all ways, by exhaustive search.

    ``ends``: what each role comes to by itself. A way is no surer than its least sure step.
    """
    seen = {(start, "proven")}
    queue = [(start, "proven")]
    reached: set[str] = {ends[start]}
    for name, sure in queue:
        for target, level in steps[name].items():
            step = min(sure, level, key=LEVELS.index)
            if (target, step) not in seen:
                seen.add((target, step))
                queue.append((target, step))
                end = ends[target]
                reached.add(min(step, end, key=LEVELS.index) if end in LEVELS else end)
    return best_of(reached, ends[start])


def best_of(reached: Iterable[str], own: str) -> str:
    """Return the gravest of what was reached; what others can't do leaves the role's own."""
    grave = set(reached) & set(LEVELS)
    for level in ("proven", "possible", "undetermined"):
        if level in grave:
            return level
    return own
