"""Concrete requests by the dozen, made of the texts that a role's policies mention.

Knows nothing of how verdicts are reached: it draws, fills in wildcards and steps over thresholds.
"""

from __future__ import annotations

import json
import re
from ipaddress import ip_address
from typing import TYPE_CHECKING

from auditor.actions import SEND_ACTIONS
from auditor.domains import is_mailbox, is_region
from auditor.engine.request import Request
from auditor.policy.values import iso
from tests.engine.cases import ACCOUNT, NOW, OTHER_ACCOUNT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

    from auditor.engine.request import Value
    from tests.engine.cases import Case

MAILBOXES = (
    "someone@example.com",
    "jane@example.org",
    "x@mail.example.com",
    "success@simulator.amazonses.com",
    "Bounce+1@SIMULATOR.amazonses.com",
    "success@simulator-amazonses.com",
    "x@not-simulator.amazonses.com",
    "x@simulator.amazonses.com.example.net",
    "success@example.net",
    "abcde@example.com",
    "*@simulator.amazonses.com",
    "*@example.com",
)
FILL = ("", "x", "example", "someone@example.com", "1")
SECONDS = (0, 1, 2, 3600, 20_000_000, 300_000_000)
REGIONS = ("us-east-1", "eu-west-1", "eu-west-2", "us-west-2", "ap-south-1", "eu-north-2")
NAMES = ("example.com", "sub.example.com", "jane@example.org", "welcome", "other", "other.net")
PRESENT = ("ses:recipients", "ses:fromaddress", "aws:userid", "aws:requestedregion")


def mentioned(case: Case) -> tuple[dict[str, list[str]], list[str]]:
    """Return each condition key (lower case) with its values, and the resource texts."""
    keys: dict[str, list[str]] = {}
    resources: list[str] = []

    def walk(node: object, operator: str | None) -> None:
        if not isinstance(node, dict):
            return
        for name, inner in node.items():
            texts = [str(one) for one in (inner if isinstance(inner, list) else [inner])]
            if operator == "?" and isinstance(inner, dict):
                for key, raw in inner.items():
                    several = raw if isinstance(raw, list) else [raw]
                    keys.setdefault(key.lower(), []).extend(map(str, several))
            elif name == "Condition":
                walk(inner, "?")
            elif name in ("Resource", "NotResource"):
                resources.extend(texts)
            elif name == "Statement":
                for entry in inner if isinstance(inner, list) else [inner]:
                    walk(entry, None)

    for document in (*case.documents, case.boundary):
        walk(json.loads(json.dumps(document)), None)
    return keys, resources


def filled(text: str, rng: Random) -> str:
    """Return one text that a pattern is likely to match."""
    text = text.replace("${*}", "*").replace("${aws:PrincipalTag/domain}", "example.com")
    text = re.sub(r"\$\{[^}]*\}", lambda _: rng.choice(FILL), text)
    text = re.sub(r"\*", lambda _: rng.choice(FILL), text)
    return text.replace("?", rng.choice("x1-."))


def near(text: str, rng: Random) -> str:
    """Return a value at, or just beside, one that a policy mentions."""
    if re.fullmatch(r"-?\d+(\.\d+)?", text) and rng.random() < 0.7:
        step = rng.choice((-1.0, -0.5, 0, 0.5, 1))
        return str(float(text) + step) if step % 1 or "." in text else str(int(text) + int(step))
    if re.fullmatch(r"[0-9.]+/\d+", text):
        return rng.choice((text.partition("/")[0], "203.0.113.9", "10.9.9.9", "192.0.2.77"))
    return rng.choice((text, filled(text, rng), filled(text, rng), text.upper(), "zzz"))


def mailbox(rng: Random, texts: list[str]) -> str:
    """Return a valid mailbox, often one that a text asks for."""
    if texts and rng.random() < 0.6:
        found = filled(rng.choice(texts), rng)
        if is_mailbox(found):
            return found
    return rng.choice(MAILBOXES)


def requests(case: Case, rng: Random, count: int, *, least: bool) -> Iterator[Request]:
    """Yield requests whose keys go together as a real one's do (ties of sender: where least)."""
    keys, resources = mentioned(case)
    for _ in range(count):
        action = rng.choice(SEND_ACTIONS)
        region = rng.choice(REGIONS)
        context: dict[str, Value] = {}
        asked = keys.get("aws:requestedregion", [])
        if asked and rng.random() < 0.5 and _region(text := filled(rng.choice(asked), rng)):
            region = text
        second = NOW + rng.choice(SECONDS)
        for key, texts in keys.items():
            if not texts or (rng.random() < 0.3 and key not in PRESENT):
                continue
            context[key] = near(rng.choice(texts), rng)
        context["aws:requestedregion"] = region
        context["aws:currenttime"], context["aws:epochtime"] = iso(second), str(second)
        context["aws:userid"] = f"AROAEXAMPLE:{rng.choice(('AWSCodeBuild-1', 'other'))}"
        sender = mailbox(rng, keys.get("ses:fromaddress", []))
        context["ses:fromaddress"] = sender
        to = [mailbox(rng, keys.get("ses:recipients", [])) for _ in range(rng.choice((1, 1, 2, 3)))]
        context["ses:recipients"] = tuple(to)
        carried = {key.lower() for key in action.context_keys}
        elsewhere = not least and rng.random() < 0.15
        owner = OTHER_ACCOUNT if elsewhere else ACCOUNT
        names = _names(resources, rng)
        kinds = action.required if least else (rng.choice(action.required + action.optional),)
        if elsewhere:
            kinds = ("identity",)
        if least:
            names["identity"] = rng.choice((sender, *_parents(sender.partition("@")[2])))
        context = {
            key: value
            for key, value in context.items()
            if (key.startswith("aws:") or key in carried) and not _fixed(key)
        }
        if elsewhere:
            context["aws:resourceaccount"] = owner
        for key, shaped in SHAPES.items():
            if key in context and not shaped(str(context[key])):
                del context[key]
        arns = tuple(f"arn:aws:ses:{region}:{owner}:{kind}/{names[kind]}" for kind in kinds)
        yield Request(action.name, arns, context)


def _region(text: str) -> bool:
    """Tell whether a text may be the name of a region of the partition ``aws``."""
    return is_region(text) and not text.startswith(("cn-", "us-gov-", "us-iso", "eu-iso"))


def _address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


SHAPES = {
    "ses:feedbackaddress": is_mailbox,
    "ses:apiversion": ("1", "2").__contains__,
    "aws:securetransport": ("true", "false").__contains__,
    "aws:sourceip": _address,
}
"""What the values of some keys look like at all: other values are left out of a request."""


def _fixed(key: str) -> bool:
    """Tell whether a caller can't choose a key."""
    return key.startswith(("aws:principal", "aws:viaaws", "aws:resourceaccount")) or key in (
        "aws:username",
        "aws:multifactorauthpresent",
    )


def _parents(domain: str) -> list[str]:
    labels = domain.split(".")
    return [".".join(labels[at:]) for at in range(len(labels) - 1)]


def _names(resources: list[str], rng: Random) -> dict[str, str]:
    found = {
        kind: rng.choice(NAMES)
        for kind in ("identity", "template", "custom-verification-email-template",
                     "configuration-set")
    }  # fmt: skip
    for text in resources:
        kind, slash, name = text.rpartition(":")[2].partition("/")
        if slash and kind in found and rng.random() < 0.6:
            found[kind] = filled(name, rng) or "x"
    return found
