"""Policy documents: from decoded JSON, or JSON text (plain or URL-encoded), to a ``Document``.

The grammar: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
What IAM would refuse raises ``PolicyError`` with its place: such a document can't be what AWS
evaluates, so nothing may be concluded from it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from itertools import count
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

from auditor import actions
from auditor.errors import PolicyError
from auditor.policy.elements import action_mask, conditions, one_of, principals
from auditor.policy.mentions import mentions
from auditor.policy.model import Document, Statement
from auditor.policy.shown import kind_of, shorten

if TYPE_CHECKING:
    from collections.abc import Iterator

VERSIONS: Final = ("2012-10-17", "2008-10-17")
_TOP: Final = frozenset(("Version", "Id", "Statement"))
_STATEMENT: Final = frozenset(
    ("Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition")
)
_ATTACHED: Final = _STATEMENT | {"Principal", "NotPrincipal"}
DOCUMENT_MAX: Final = 1_000_000
"""Characters of a document given as text. IAM's largest (inline, all of a role's) is 10,240; this
leaves room for white space, which IAM doesn't count, and stops a text made to exhaust memory."""


def parse(document: object, *, every: bool = False, attached: bool = False) -> Document:
    """Read an identity policy, a permissions boundary or an SCP. Raises ``PolicyError``.

    Keeps the statements that can touch a send action; ``every`` keeps them all. ``attached`` reads
    a policy of a resource (a role's trust policy, an SES identity's): it names principals.
    """
    top = load(document)
    if not _TOP.issuperset(top):
        raise PolicyError("", f"unknown element {shorten(min(set(top) - _TOP))}")
    version = top.get("Version", "2008-10-17")
    if version not in VERSIONS:
        raise PolicyError(
            "Version", f"{shorten(version)} is neither {VERSIONS[0]} nor {VERSIONS[1]}"
        )
    if "Statement" not in top:
        raise PolicyError("", "there is no Statement")
    reading = _Reading(version == VERSIONS[0], every, attached)
    return Document(tuple(_statements(top["Statement"], reading)), reading.powers)


@dataclass(slots=True)
class _Reading:
    """How a document is read, and whether an Allow that names a power was met on the way."""

    variables: bool
    every: bool
    attached: bool
    powers: bool = False


def load(document: object) -> dict[str, object]:
    """Return a document's top object, decoding text where need be. Raises ``PolicyError``."""
    if isinstance(document, str):
        document = _decode(document)
    if not isinstance(document, dict):
        raise PolicyError("", f"a policy document is an object, not {kind_of(document)}")
    return document


def _decode(text: str) -> object:
    if len(text) > DOCUMENT_MAX:
        raise PolicyError("", f"longer than {DOCUMENT_MAX:,} characters")
    text = text.lstrip("\ufeff")
    if not text.lstrip(" \t\r\n").startswith("{"):
        text = unquote(text)
    try:
        return json.loads(text, object_pairs_hook=_unique)
    except RecursionError:
        raise PolicyError("", "nested too deeply") from None
    except json.JSONDecodeError as error:
        raise PolicyError("", f"not JSON ({error})") from None
    except ValueError:  # Python reads whole numbers of up to 4,300 digits
        raise PolicyError("", "not JSON that can be read (a number in it is too long)") from None


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Refuse a name given twice: which one counts would be a guess."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise PolicyError("", "an element is given twice in one object")
    return found


def _statements(raw: object, reading: _Reading) -> Iterator[Statement]:
    entries = raw if isinstance(raw, list) else [raw]
    for index, entry in enumerate(entries):
        where = f"Statement[{index}]"
        if not isinstance(entry, dict):
            raise PolicyError(where, f"a statement is an object, not {kind_of(entry)}")
        statement = _statement(entry, index, where, reading)
        if statement is not None:
            yield statement


def _statement(
    entry: dict[str, object], index: int, where: str, reading: _Reading
) -> Statement | None:
    """Read one statement; None where it can't touch a send action."""
    known = _ATTACHED if reading.attached else _STATEMENT
    if not known.issuperset(entry):
        raise PolicyError(where, f"unknown element {shorten(min(set(entry) - known))}")
    effect = entry.get("Effect")
    if effect not in ("Allow", "Deny"):
        problem = "there is no Effect" if effect is None else f"unknown Effect {shorten(effect)}"
        raise PolicyError(where, problem)
    sid = entry.get("Sid")
    if sid is not None and not isinstance(sid, str):
        raise PolicyError(f"{where}.Sid", f"a Sid is a string, not {kind_of(sid)}")
    mask = 0
    patterns, not_action = one_of(entry, "Action", where)
    for pattern in patterns:
        mask |= action_mask(pattern, where)
    if not_action:
        mask = (actions.ALL & ~mask) | actions.POWER
    if mask & actions.POWER and effect == "Allow":
        reading.powers = True
    mask &= actions.ALL
    variables = reading.variables
    if reading.attached and "Resource" not in entry and "NotResource" not in entry:
        entry = {**entry, "Resource": "*"}  # a trust policy is about its own role
    resources, not_resource = one_of(entry, "Resource", where)
    if not reading.every and not (mask and _touches_ses(resources, not_resource)):
        return None  # however odd its conditions
    block = entry.get("Condition", {})
    if not isinstance(block, dict):
        raise PolicyError(f"{where}.Condition", f"a Condition is an object, not {kind_of(block)}")
    asked = tuple(conditions(block, f"{where}.Condition")) if block else ()
    named = principals(entry, where) if reading.attached else None
    meaning = (effect, mask, resources, not_resource, asked, variables, named)
    return Statement(
        index=index,
        sid=sid,
        allows=effect == "Allow",
        actions=mask,
        names=patterns,
        not_action=not_action,
        resources=resources,
        not_resource=not_resource,
        conditions=asked,
        variables=variables,
        mentions=mentions(resources, asked, variables=variables),
        meaning=_number(meaning),
        principals=named,
    )


MEANINGS_MAX: Final = 100_000
"""Meanings remembered; a process that has met more starts over, with numbers never used before."""

_meanings: Final[dict[object, int]] = {}
_numbers: Final = count()


def _number(meaning: object) -> int:
    """Number a meaning, the same one for equal ones, so that comparing them later costs nothing."""
    known = _meanings.get(meaning)
    if known is None:
        if len(_meanings) >= MEANINGS_MAX:
            _meanings.clear()
        known = _meanings[meaning] = next(_numbers)
    return known


def _touches_ses(resources: tuple[str, ...], not_resource: bool) -> bool:
    """Tell whether a statement's resources can hold one of SES's (an upper bound)."""
    if not_resource:
        return "*" not in resources
    return any(_may_be_ses(text) for text in resources)


@lru_cache(maxsize=65_536)
def _may_be_ses(text: str) -> bool:
    parts = text.split(":", 3)
    if parts[0] != "arn" or len(parts) < 3 or "${" in text:
        return True
    service = parts[2]
    return service == "ses" or any(char in part for part in parts[1:3] for char in "*?")
