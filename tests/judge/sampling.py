"""Concrete calls to try on a role: dense where the role's own policies draw lines.

Values come from the policies themselves (each pattern filled in several ways, each number and
date with its neighbours, each network with addresses on both sides) and from a short list of
addresses that near misses let through.
"""

from __future__ import annotations

import ipaddress
import itertools
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from .calls import KINDS, NEVER, SENDS, SIMULATOR, Call, Subject, known, mailbox
from .concrete import as_list, as_text, load
from .operators import moment

if TYPE_CHECKING:
    import random
    from collections.abc import Iterable, Iterator

    from .concrete import Values

ADDRESSES = (
    "someone@example.com",
    f"success@{SIMULATOR}",
    f"bounce@{SIMULATOR}",
    f"success@{SIMULATOR.upper()}",
    f"someone@not{SIMULATOR}",
    f"someone@{SIMULATOR}.example.com",
    f"someone@x.{SIMULATOR}",
    "someone@simulator-amazonses.com",
    "someone@simulator.amazonses.org",
    "someone@mail.amazonses.com",
    "success@example.com",
)
FILLERS = ("someone", "", "a.b", "someone@example.com", "x.example.com", "-x")
# For keys whose values have a form of their own, where the policies give none.
ANY = ("true", "false", "198.51.100.7", "2001:db8::9")
PLACES = ("eu-west-1", "us-east-1", "ap-south-1")
PREFIX = {"aws": PLACES, "aws-cn": ("cn-north-1",), "aws-us-gov": ("us-gov-west-1",)}


def filled(pattern: str) -> Iterator[str]:
    """Yield texts that a pattern matches, and some that it just doesn't."""
    text = re.sub(
        r"\$\{([*?$])\}", lambda found: {"*": "\0", "?": "\1", "$": "$"}[found[1]], pattern
    )
    for star, mark in itertools.product(FILLERS, "x-."):
        yield text.replace("*", star).replace("?", mark).replace("\0", "*").replace("\1", "?")
    yield pattern
    yield pattern + "x"
    yield pattern.swapcase()


def asked(documents: Iterable[object]) -> Iterator[tuple[str, str, str]]:
    """Yield every (operator, key, value) of the documents' conditions, operator and key lower."""
    for raw in documents:
        for statement in as_list(load(raw)["Statement"]):
            for operator, keys in statement.get("Condition", {}).items():
                for key, wanted in keys.items():
                    for value in as_list(wanted) or [""]:
                        yield operator.lower(), key.lower(), as_text(value)


def _addresses(text: str) -> Iterator[str]:
    network = ipaddress.ip_network(text, strict=False)
    first, last = int(network.network_address), int(network.broadcast_address)
    kind = type(network.network_address)
    top = 2**network.max_prefixlen - 1
    yield from (str(kind(n)) for n in {first, last, max(first - 1, 0), min(last + 1, top)})
    yield from ("198.51.100.7", "2001:db8:1::1")


def candidates(operator: str, key: str, value: str) -> Iterator[str]:
    """Yield request values on both sides of the line that one condition draws."""
    if "ipaddress" in operator:
        yield from _addresses(value)
    elif "numeric" in operator or "date" in operator:
        for step in (-1, 0, 1, 86400):
            at = moment(value) + step
            iso = datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            yield iso if "date" in operator and "epoch" not in key else f"{at:g}"[:9] or str(at)
    elif "bool" in operator:
        yield from ("true", "false")
    elif "null" not in operator:
        yield from filled(value)


def pools(subject: Subject, documents: list[object]) -> dict[str, list[Values | None]]:
    """Return the values to try for each key that the caller chooses; None stands for absent."""
    found: dict[str, dict[Values | None, None]] = {}
    settled = known(subject, Call("ses:SendEmail", {"identity": "arn:aws:ses:r:1:identity/x"}, {}))
    for operator, key, value in asked(documents):
        free = key.startswith("aws:") and key not in settled and not key.startswith(NEVER)
        clock = key in {"aws:currenttime", "aws:epochtime"}
        if key.startswith("aws:principal") or clock:
            continue
        if free or (key.startswith("ses:") and key != "ses:recipients"):
            values = found.setdefault(key, {None: None})
            values.update(dict.fromkeys(candidates(operator, key, value)))
    chosen: dict[str, list[Values | None]] = {}
    for key, values in found.items():
        kind = KINDS.get(key, bool)
        fitting = [v for v in (*values, *ANY) if v is None or kind(str(v))]
        chosen[key] = fitting if len(values) > 1 or key in KINDS else [None, "x"]
    return chosen


def clocks(documents: list[object], now: float) -> list[int]:
    """Return the times to try, none before the scan's."""
    times = {int(now), int(now) + 1, int(now) + 10**9}
    for _, key, value in asked(documents):
        if key in {"aws:currenttime", "aws:epochtime"} and re.fullmatch(r"[\d.:TZ+-]+", value):
            at = int(moment(value))
            times |= {at - 1, at, at + 1}
    return sorted(t for t in times if t >= now)


def recipients(documents: list[object]) -> list[str]:
    """Return the addresses to try: the policies' own patterns filled in, and near misses."""
    found = dict.fromkeys(ADDRESSES)
    for _, key, value in asked(documents):
        if key == "ses:recipients":
            found.update(dict.fromkeys(filter(mailbox, filled(value))))
    return list(found)


def _places(documents: list[object], subject: Subject) -> tuple[list[str], list[str], list[str]]:
    """Return regions, accounts and names of SES resources that the documents mention."""
    regions = dict.fromkeys(PREFIX[subject.partition])
    accounts = dict.fromkeys([subject.arn.split(":")[4]])
    names = dict.fromkeys(["example.com", "someone@example.com", "mail.example.com"])
    for raw in documents:
        for statement in as_list(load(raw)["Statement"]):
            for text in as_list(statement.get("Resource", statement.get("NotResource", []))):
                parts = str(text).split(":", 5)
                if len(parts) == 6 and parts[2] in {"ses", "*"}:
                    regions.update(
                        dict.fromkeys(x for x in [parts[3]] if x.isascii() and "*" not in x and x)
                    )
                    accounts.update(dict.fromkeys(x for x in [parts[4]] if x.isdigit()))
                    kind, _, name = parts[5].partition("/")
                    if kind == "identity" and "${" not in name:
                        names.update(dict.fromkeys(n for n in filled(name) if n))
    for _, key, value in asked(documents):
        if key == "aws:requestedregion" and "*" not in value and value:
            regions[value] = None
        if key == "aws:resourceaccount":
            accounts.update(dict.fromkeys(a for a in (value, "999999999999") if a.isdigit()))
        if key == "ses:fromaddress":
            names.update(dict.fromkeys(a.rpartition("@")[2] for a in filled(value) if mailbox(a)))
    return list(regions), list(accounts), list(names)


def sample(
    subject: Subject, documents: list[object], now: float, count: int, rng: random.Random
) -> Iterator[Call]:
    """Yield ``count`` calls that this role's session could make, consistent with both ties."""
    free, people = pools(subject, documents), recipients(documents)
    regions, accounts, names = _places(documents, subject)
    times = clocks(documents, now)
    senders = [v for v in free.pop("ses:fromaddress", []) if isinstance(v, str) and mailbox(v)]
    for number in range(count):
        action = list(SENDS)[number % len(SENDS)]
        send = SENDS[action]
        sender = rng.choice(senders) if senders and rng.random() < 0.8 else ""
        if sender:
            domain = sender.rpartition("@")[2]
            parents = [".".join(domain.split(".")[n:]) for n in range(len(domain.split(".")) - 1)]
            name = rng.choice([sender, domain, domain, *parents, *names[:2]])
        else:
            name = rng.choice(names)
        if not sender or not (
            name == sender or f".{sender.rpartition('@')[2]}".endswith(f".{name}")
        ):
            sender = name if "@" in name else f"build@{name}"
        region, own = rng.choice(regions), subject.arn.split(":")[4]
        # Identities may be shared between accounts; templates and sets are the account's own.
        resources = {
            kind: f"arn:{subject.partition}:ses:{region}:"
            + (
                f"{rng.choice(accounts)}:identity/{name}"
                if kind == "identity"
                else f"{own}:{kind}/main"
            )
            for kind in (*send.required, *send.optional)
        }
        context: dict[str, Any] = {}
        if "ses:fromaddress" in send.keys:
            context["ses:FromAddress"] = sender
        if send.recipients:
            some = rng.choices(people, k=rng.choice((1, 1, 1, 2, 2, 3, 8)))
            context["ses:Recipients"] = tuple(dict.fromkeys(some))
        at = rng.choice(times)
        context["aws:CurrentTime"] = datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        context["aws:EpochTime"] = str(at)
        for key, values in free.items():
            value = rng.choice(values)
            if value is not None and (not key.startswith("ses:") or key in send.keys):
                context[key] = value
        yield Call(action, resources, context)
