"""Small worlds in which every request can be tried, so that the verdict is known exactly.

Each lab draws its policies' values from so few that the requests fall into a handful of kinds; it
lists one request of every kind. No sampling: what the judge finds is the verdict.
"""

from __future__ import annotations

import itertools
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from .calls import ACCOUNT, Call, Subject, reaches, succeeds
from .concrete import Reading

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterator

    from .concrete import Values

Contexts = list[dict[str, "Values"]]
IDENTITY = f"arn:aws:ses:eu-west-1:{ACCOUNT}:identity/example.com"
ACTION = "ses:SendRawEmail"
START = int(datetime(2026, 11, 23, 3, tzinfo=UTC).timestamp())
REAL = {"ses:Recipients": ("someone@example.com",)}
PEOPLE = (
    "success@simulator.amazonses.com",
    "bounce@simulator.amazonses.com",
    "other@simulator.amazonses.com",
    "a@example.com",
    "other@example.com",
    "someone@elsewhere.com",
    "someone@elsewhere.org",
)


class Lab(NamedTuple):
    """One key's world: how to draw a condition on it, and a request of every kind."""

    condition: Callable[[random.Random], dict[str, Any]]
    contexts: Contexts


def _iso(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _clock(rng: random.Random) -> dict[str, Any]:
    at = START + rng.randint(-2, 3)
    ends = ("Equals", "NotEquals", "LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals")
    if rng.random() < 0.6:
        return {f"Date{rng.choice(ends)}": {"aws:CurrentTime": rng.choice((_iso(at), str(at)))}}
    return {f"Numeric{rng.choice(ends)}": {"aws:EpochTime": str(at)}}


def _clocks() -> Contexts:
    return [
        {**REAL, "aws:CurrentTime": _iso(START + n), "aws:EpochTime": str(START + n)}
        for n in range(6)
    ]


def _address(rng: random.Random) -> dict[str, Any]:
    size = rng.choice((29, 30, 31, 32))
    low = rng.randrange(0, 8, 2 ** (32 - size))
    value = rng.choice((f"10.0.0.{low}/{size}", f"10.0.0.{low}/{size}", "0.0.0.0/0", "::/0"))
    suffix = "IfExists" if rng.random() < 0.3 else ""
    if rng.random() < 0.15:
        return {"Null": {"aws:SourceIp": rng.choice(("true", "false"))}}
    return {f"{rng.choice(('IpAddress', 'NotIpAddress'))}{suffix}": {"aws:SourceIp": value}}


def _addresses() -> Contexts:
    values = [*(f"10.0.0.{n}" for n in range(8)), "10.0.0.9", "198.51.100.7", "2001:db8::9"]
    present: Contexts = [{**REAL, "aws:SourceIp": value} for value in values]
    return [{**REAL}, *present]


def _recipients(rng: random.Random) -> dict[str, Any]:
    stars = ("*@simulator.amazonses.com", "*@example.com", "*", "*.com")
    quantifier = rng.choice(("ForAllValues:", "ForAllValues:", "ForAnyValue:", "ForAnyValue:", ""))
    name = rng.choice(("StringLike", "StringNotLike", "StringEquals", "StringNotEquals"))
    wanted = rng.sample((*PEOPLE[:2], PEOPLE[3], *stars[: 4 if "Like" in name else 0]), k=2)
    values: Any = wanted if rng.random() < 0.4 else wanted[0]
    return {quantifier + name + rng.choice(("", "", "IfExists")): {"ses:Recipients": values}}


def _lists() -> Contexts:
    sizes = range(1, len(PEOPLE) + 1)
    groups = itertools.chain.from_iterable(itertools.combinations(PEOPLE, n) for n in sizes)
    return [{"ses:Recipients": group} for group in groups]


def _agent(rng: random.Random) -> dict[str, Any]:
    name = rng.choice(("Like", "Like", "NotLike", "Equals", "NotEquals", "EqualsIgnoreCase"))
    letters = "ab*?A" if "Like" in name else "abA"
    pattern = "".join(rng.choice(letters) for _ in range(rng.randint(0, 3)))
    suffix = "IfExists" if rng.random() < 0.15 else ""
    return {f"String{name}{suffix}": {"aws:UserAgent": pattern}}


def _agents() -> Contexts:
    texts = ("".join(t) for n in range(6) for t in itertools.product("abAB", repeat=n))
    present: Contexts = [{**REAL, "aws:UserAgent": text} for text in texts]
    return [{**REAL}, *present]


LABS = {
    "clock": Lab(_clock, _clocks()),
    "address": Lab(_address, _addresses()),
    "recipients": Lab(_recipients, _lists()),
    "agent": Lab(_agent, _agents()),
}


def _statement(lab: Lab, rng: random.Random, effect: str) -> dict[str, Any]:
    block: dict[str, Any] = {}
    for _ in range(rng.choice((1, 1, 2, 3))):
        block.update(lab.condition(rng))
    return {"Effect": effect, "Action": ACTION, "Resource": "*", "Condition": block}


def lab_role(lab: Lab, rng: random.Random) -> Subject:
    """Return a role of this lab: Allows, Denies, and now and then a boundary."""
    effects = rng.choice((("Allow",), ("Allow", "Deny"), ("Allow", "Deny", "Deny", "Deny")))
    open_door = {"Effect": "Allow", "Action": ACTION, "Resource": "*"}
    statements = [_statement(lab, rng, effect) for effect in effects]
    if "Deny" in effects and rng.random() < 0.5:
        statements[0] = open_door
    policy = {"Version": "2012-10-17", "Statement": statements}
    limit = {"Version": "2012-10-17", "Statement": _statement(lab, rng, "Allow")}
    return Subject((policy,), limit if rng.random() < 0.25 else None)


def calls(lab: Lab) -> Iterator[Call]:
    """Yield one call of every kind that this lab knows."""
    for context in lab.contexts:
        yield Call(ACTION, {"identity": IDENTITY}, context)


def exact(lab: Lab, subject: Subject) -> str:
    """Return the verdict, by trying every kind of request: the certainty where it is exposed."""
    best = "no_send"
    for call in calls(lab):
        if not succeeds(subject, call, Reading.MOST):
            continue
        if reaches(call) == "real" and succeeds(subject, call, Reading.LEAST):
            return "proven"
        if reaches(call) == "real":
            best = "possible"
        elif best == "no_send":
            best = "simulator_only"
    return best
