"""Addresses of hosts as a domain: what ``aws:SourceIp`` can hold."""

from __future__ import annotations

import ipaddress
from typing import Final

from auditor.domains import DEAD, Domain


def is_address(text: str) -> bool:
    """Tell whether the text is an IPv4 or IPv6 address."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


_OCTET: Final = 1_000


def _step_ipv4(state: int, char: str) -> int:
    """Step a dotted quad: the octet's index in the thousands, below it one more than its value."""
    index, value = divmod(state, _OCTET)
    if char == ".":
        return (index + 1) * _OCTET if value and index < 3 else DEAD
    if not ("0" <= char <= "9") or value == 1:  # a leading zero stands alone
        return DEAD
    grown = max(value - 1, 0) * 10 + int(char)
    return index * _OCTET + grown + 1 if grown <= 255 else DEAD


_HEX_OR_COLON: Final = frozenset("0123456789abcdefABCDEF:")
_IPV6: Final = Domain(
    name="IPv6 address",
    start=0,
    step=lambda _state, char: 0 if char in _HEX_OR_COLON else DEAD,
    accepts=lambda _state: True,
    contains=is_address,  # the automaton is wider: a text that isn't one is refused by name
    fresh=(":", "0123456789abcdef"),
    nice=("2001:db8::7", "::1", "fd00::7"),
    fillers=("", "1", "0", "::1", ":", "2001:db8::7"),
)
ADDRESS: Final = Domain(
    name="IPv4 address",
    start=0,
    step=_step_ipv4,
    accepts=lambda state: state > 3 * _OCTET,
    contains=is_address,
    fresh=(*"0123456789", "."),
    nice=("198.51.100.7", "203.0.113.9", "10.0.0.7"),
    fillers=("", "7", "0.7", "0.0.7", "10.0.0.7", "1"),
    otherwise=_IPV6,
)
