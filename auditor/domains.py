"""What the value of a key can look like at all: small automata that restrict a search.

A domain is a language over characters. ``contains`` says it in plain words and is exact;
``step``/``accepts`` say it as an automaton, which may leave out length limits (``counted`` then
gives the automaton that keeps them). ``fresh`` groups the alphabet by how the automaton treats a
character, nicest first: a search needs one unmentioned character of each group.
"""

from __future__ import annotations

import string
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

DEAD: Final = -1
_ALNUM = string.ascii_lowercase + string.digits + string.ascii_uppercase
_ATEXT = "+_!#$%&'*/=?^`{|}~"  # RFC 5322's atext beside letters, digits and the hyphen
LOCAL_MAX: Final = 64
"""Characters in an address's local part (RFC 5321, section 4.5.3.1.1)."""
LABEL_MAX: Final = 63
"""Characters in a domain's label (RFC 1035, section 2.3.4)."""


@dataclass(frozen=True, eq=False)
class Domain:
    """A language of values. Compared by identity: there are few, and each is a constant."""

    name: str
    start: int
    step: Callable[[int, str], int]
    accepts: Callable[[int], bool]
    contains: Callable[[str], bool]
    fresh: tuple[str, ...]
    nice: tuple[str, ...] = ()
    """Values to try before any search, nicest first."""
    fillers: tuple[str, ...] = ("", "x", "1")
    """What to put in place of a pattern's wildcards before any search, nicest first."""
    counted: Domain | None = None
    otherwise: Domain | None = None
    """More values of the same key, of another shape: looked through where none is found here."""
    textual: bool = False
    """Whether no value is a number, a date, a boolean, binary data or a host's address."""
    open: bool = False
    """Whether any character at all may stand in a value, beside those in ``fresh``."""
    finite: bool = False
    """Whether ``nice`` holds every value there is."""


# --- mailboxes: local@domain, a dot-atom local part, at least two LDH labels -------------------

_LOCAL, _ATOM, _LOCAL_DOT, _LABEL1, _IN1, _HYPHEN1, _LABEL2, _IN2, _HYPHEN2 = range(9)
_LABEL_STATES = {_LABEL1: (_IN1, _HYPHEN1), _LABEL2: (_IN2, _HYPHEN2)}
_ALNUM_SET = frozenset(_ALNUM)
_LABEL_SET = _ALNUM_SET | {"-"}
_LOCAL_SET = frozenset(_ALNUM + _ATEXT + "-")


def _step_label(state: int, char: str) -> int:
    """Step inside the domain part; both label groups share a shape three states apart."""
    base = _LABEL1 if state < _LABEL2 else _LABEL2
    inside, hyphen = _LABEL_STATES[base]
    if char in _ALNUM_SET:
        return inside
    if char == "-":
        return DEAD if state == base else hyphen
    return _LABEL2 if char == "." and state == inside else DEAD


def _step_mailbox(state: int, char: str) -> int:
    if state >= _LABEL1:
        return _step_label(state, char)
    if char in _LOCAL_SET:
        return _ATOM
    if state == _ATOM:
        return {".": _LOCAL_DOT, "@": _LABEL1}.get(char, DEAD)
    return DEAD


def in_domain_part(state: int) -> bool:
    """Tell whether a state of ``MAILBOX`` is behind the ``@``."""
    return state >= _LABEL1


COUNTED: Final = 16
"""A counting state is a plain one and this times the length so far."""


def _step_counted(state: int, char: str) -> int:
    """Step a mailbox with the length so far of its local part, or label, in the high digits."""
    count, plain = divmod(state, COUNTED)
    after = _step_mailbox(plain, char)
    if after == DEAD:
        return DEAD
    count = 0 if char == "@" or (char == "." and plain >= _LABEL1) else count + 1
    limit = LOCAL_MAX if after < _LABEL1 else LABEL_MAX
    return DEAD if count > limit else count * COUNTED + after


def is_domain_name(text: str) -> bool:
    """Tell whether the text is at least two LDH labels of at most 63 characters."""
    labels = text.split(".")
    return len(labels) >= 2 and all(
        0 < len(label) <= LABEL_MAX
        and label[0] in _ALNUM_SET
        and label[-1] in _ALNUM_SET
        and _LABEL_SET.issuperset(label)
        for label in labels
    )


def is_mailbox(text: str) -> bool:
    """Tell whether the text is a valid mailbox (RFC 5321's dot-atom form, no quoting)."""
    local, at, domain = text.partition("@")
    return (
        bool(at)
        and 0 < len(local) <= LOCAL_MAX
        and all(atom and _LOCAL_SET.issuperset(atom) for atom in local.split("."))
        and is_domain_name(domain)
    )


_MAIL_FRESH = (_ALNUM, ".", "-", "@", _ATEXT)
MAILBOX: Final = Domain(
    name="mailbox",
    start=_LOCAL,
    step=_step_mailbox,
    accepts=lambda state: state == _IN2,
    contains=is_mailbox,
    textual=True,
    fresh=_MAIL_FRESH,
    nice=(
        "someone@example.com",
        "jane.doe@example.org",
        "customer@mail.example.net",
        "success@simulator.amazonses.com",
    ),
    fillers=(
        "", "someone", "someone@", "someone@not-", "someone@example.com", "example.com",
        "@example.com", "example", ".example.com", "someone@example.", "mail.", ".com", "com", "x",
    ),
    counted=Domain(
        name="mailbox with lengths",
        start=_LOCAL,
        step=_step_counted,
        accepts=lambda state: state % COUNTED == _IN2,
        contains=is_mailbox,
        fresh=_MAIL_FRESH,
    ),
)  # fmt: skip

# --- everything else ----------------------------------------------------------------------------


def _always(_state: int, _char: str) -> int:
    return 0


ANYTHING: Final = Domain(
    name="string",
    start=0,
    step=_always,
    accepts=lambda _state: True,
    contains=lambda _text: True,
    fresh=(_ALNUM, "-", "/"),
    open=True,
    nice=("example",),
    fillers=("", "x", "example", "1", "example-1", "/"),
)


def _finite(name: str, *values: str) -> Domain:
    return Domain(
        name=name,
        start=0,
        step=_always,
        accepts=lambda _state: True,
        contains=frozenset(values).__contains__,
        fresh=(),
        nice=values,
        finite=True,
    )


TRUE_OR_FALSE: Final = _finite("boolean", "true", "false")
API_VERSION: Final = replace(ANYTHING, name="SES API version", nice=("2", "1"))
FEEDBACK: Final = replace(ANYTHING, name="feedback address", nice=("bounces@example.com",))


def _spelled(prefix: str, nice: tuple[str, ...], chars: str, size: tuple[int, int]) -> Domain:
    """Return the texts of a prefix, then ``size`` (least, most) of these characters."""
    start, (least, most) = len(prefix), size
    allowed = frozenset(chars)

    def step(state: int, char: str) -> int:
        if state < start:
            return state + 1 if char == prefix[state] else DEAD
        return state + 1 if char in allowed and state < start + most else DEAD

    return Domain(
        name=prefix.rstrip("/:") or "name",
        start=0,
        step=step,
        accepts=lambda state: state >= start + least,
        contains=lambda text: (
            text.startswith(prefix)
            and least <= len(text) - start <= most
            and allowed.issuperset(text[start:])
        ),
        fresh=(*dict.fromkeys(prefix), chars),
        nice=nice,
    )


NAME_MAX: Final = 320
"""Characters of a resource's name: those of the longest address (RFC 3696's erratum)."""


def _named(kind: str, chars: str, *nice: str) -> Domain:
    """Return the sixth part of the ARNs of one resource type: ``kind/`` and a name."""
    prefix = f"{kind}/"
    counted = _spelled(prefix, tuple(prefix + name for name in nice), chars, (1, NAME_MAX))
    end = len(prefix) + 1
    return replace(
        counted,
        name=kind,
        step=lambda state, char: min(counted.step(min(state, end), char), end),
        accepts=lambda state: state >= end,
        fillers=("", "example.com", "sender@example.com", "example", "mail.", "x"),
        textual=True,
        counted=counted,
    )


_PLAIN = _ALNUM + "-_"
RESOURCES: Final = {
    "identity": _named("identity", _ALNUM + "-.@" + _ATEXT, "example.com", "sender@example.com"),
    "template": _named("template", _PLAIN, "welcome", "newsletter"),
    "custom-verification-email-template": _named(
        "custom-verification-email-template", _PLAIN, "verify"
    ),
    "configuration-set": _named("configuration-set", _PLAIN, "default"),
}
"""The sixth part of the ARN of each resource type that a send is authorised on."""

ACCOUNT: Final = _spelled("", ("210987654321", "111122223333"), string.digits, (12, 12))
"""Account ids."""


def user_id(role_id: str) -> Domain:
    """Return the values of ``aws:userid`` for a session of a role: its id, ``:``, session name.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
    """
    prefix = f"{role_id}:"
    return _spelled(prefix, (f"{prefix}AWSCodeBuild-1",), _ALNUM + "_+=,.@-", (2, 64))


# --- regions ------------------------------------------------------------------------------------

_R_START, _R_FIRST, _R_AREA, _R_DASH, _R_WORD, _R_DASH2, _R_NUMBER, _R_NUMBER2 = range(8)
_ON_LETTER: Final = {
    _R_START: _R_FIRST,
    _R_FIRST: _R_AREA,
    _R_AREA: _R_AREA,
    _R_DASH: _R_WORD,
    _R_WORD: _R_WORD,
    _R_DASH2: _R_WORD,
}


def _step_region(state: int, char: str) -> int:
    """Step a name such as ``eu-west-1`` or ``us-gov-west-1``: letters, words, a number."""
    if "a" <= char <= "z":
        return _ON_LETTER.get(state, DEAD)
    if char == "-":
        return {_R_AREA: _R_DASH, _R_WORD: _R_DASH2}.get(state, DEAD)
    if "0" <= char <= "9":
        return {_R_DASH2: _R_NUMBER, _R_NUMBER: _R_NUMBER2}.get(state, DEAD)
    return DEAD


def is_region(text: str) -> bool:
    """Tell whether the text has the shape of a region's name; new regions appear, so any does."""
    state = _R_START
    for char in text:
        state = _step_region(state, char)
        if state == DEAD:
            return False
    return state in (_R_NUMBER, _R_NUMBER2)


KNOWN_REGIONS: Final = (
    "us-east-1", "eu-west-1", "us-west-2", "eu-central-1", "us-east-2", "us-west-1", "eu-west-2",
    "eu-west-3", "eu-north-1", "eu-south-1", "ap-south-1", "ap-northeast-1", "ap-northeast-2",
    "ap-northeast-3", "ap-southeast-1", "ap-southeast-2", "ca-central-1", "sa-east-1",
    "me-south-1", "af-south-1", "il-central-1", "ap-east-1", "ap-east-2", "ap-south-2",
    "ap-southeast-3", "ap-southeast-4", "ap-southeast-5", "ap-southeast-6", "ap-southeast-7",
    "ca-west-1", "eu-central-2", "eu-south-2", "me-central-1", "mx-central-1",
    "cn-north-1", "cn-northwest-1", "us-gov-west-1", "us-gov-east-1",
    "us-iso-east-1", "us-iso-west-1", "us-isob-east-1", "us-isob-west-1", "eu-isoe-west-1",
    "us-isof-south-1", "us-isof-east-1",
)  # fmt: skip
"""Regions known when this was written; new ones appear.
https://docs.aws.amazon.com/global-infrastructure/latest/regions/aws-regions.html"""

KNOWN_REGION: Final = replace(_finite("known region", *KNOWN_REGIONS), textual=True)
REGION: Final = Domain(
    name="region",
    textual=True,
    start=_R_START,
    step=_step_region,
    accepts=lambda state: state in (_R_NUMBER, _R_NUMBER2),
    contains=is_region,
    fresh=(string.ascii_lowercase, "-", string.digits),
    nice=KNOWN_REGIONS,
    fillers=("", "1", "east-1", "us-east-1", "west", "eu"),
)

_PARTITION_REGIONS: Final = {
    "aws-cn": "cn-*",
    "aws-us-gov": "us-gov-*",
    "aws-iso": "us-iso-*",
    "aws-iso-b": "us-isob-*",
    "aws-iso-e": "eu-isoe-*",
    "aws-iso-f": "us-isof-*",
}


def regions_of(partition: str) -> tuple[str | None, tuple[str, ...]]:
    """Return the glob that the partition's regions match (None: any) and those they don't.

    https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/partitions.html
    """
    mine = _PARTITION_REGIONS.get(partition)
    if mine is not None:
        return mine, ()
    return None, ("cn-*", "us-gov-*", "us-iso*", "eu-iso*") if partition == "aws" else ()
