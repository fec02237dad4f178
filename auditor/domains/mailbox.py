"""Mailboxes: ``local@domain``, a dot-atom local part, at least two LDH labels."""

from __future__ import annotations

from typing import Final

from auditor.domains.model import ALNUM, DEAD, Domain

ATEXT: Final = "+_!#$%&'*/=?^`{|}~"  # RFC 5322's atext beside letters, digits and the hyphen
LOCAL_MAX: Final = 64
"""Characters in an address's local part (RFC 5321, section 4.5.3.1.1)."""
LABEL_MAX: Final = 63
"""Characters in a domain's label (RFC 1035, section 2.3.4)."""

_LOCAL, _ATOM, _LOCAL_DOT, _LABEL1, _IN1, _HYPHEN1, _LABEL2, _IN2, _HYPHEN2 = range(9)
_LABEL_STATES = {_LABEL1: (_IN1, _HYPHEN1), _LABEL2: (_IN2, _HYPHEN2)}
_ALNUM_SET = frozenset(ALNUM)
_LABEL_SET = _ALNUM_SET | {"-"}
_LOCAL_SET = frozenset(ALNUM + ATEXT + "-")


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


_MAIL_FRESH = (ALNUM, ".", "-", "@", ATEXT)
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
