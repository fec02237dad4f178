"""A strict reader of the little Terraform that we write; what it doesn't know is an error."""

from __future__ import annotations

import re
from typing import Final

_TOKEN: Final = re.compile(
    r"""(?P<space>[ \n]+)|(?P<string>"(?:[^"\\\n]|\\["\\]|\\U[0-9a-f]{8})*")"""
    r"""|(?P<word>[A-Za-z_][A-Za-z0-9_.]*)|(?P<number>-?\d+)|(?P<sign>[][{}()=,])"""
)
_CONSTANTS: Final = {"true": True, "false": False, "null": None}


def tokens(text: str) -> list[str]:
    """Return the text's tokens; white space is dropped."""
    found, at = [], 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        assert match, f"not HCL that we write: {text[at : at + 40]!r}"
        if match.lastgroup != "space":
            found.append(match[0])
        at = match.end()
    return found


class Reader:
    """Reads blocks and expressions off a list of tokens."""

    def __init__(self, text: str) -> None:
        self.tokens = tokens(text)

    def take(self, expected: str | None = None) -> str:
        token = self.tokens.pop(0)
        assert expected in (None, token), f"{token!r} where {expected!r} should be"
        return token

    def file(self) -> dict[tuple[str, ...], dict[str, object]]:
        """Return each block's attributes by its type and labels."""
        blocks: dict[tuple[str, ...], dict[str, object]] = {}
        while self.tokens:
            head = [self.take()]
            while self.tokens[0] != "{":
                head.append(string(self.take()))
            assert tuple(head) not in blocks
            blocks[tuple(head)] = self.mapping()
        return blocks

    def mapping(self) -> dict[str, object]:
        self.take("{")
        found: dict[str, object] = {}
        while self.tokens[0] != "}":
            token = self.take()
            key = string(token) if token.startswith('"') else token
            assert key not in _CONSTANTS or token.startswith('"'), "a word of the language"
            self.take("=")
            assert key not in found
            found[key] = self.value()
        self.take("}")
        return found

    def value(self) -> object:
        token = self.tokens[0]
        if token == "{":
            return self.mapping()
        if token == "[":
            return self.array()
        self.take()
        if token.startswith('"'):
            return string(token)
        if token in _CONSTANTS:
            return _CONSTANTS[token]
        if self.tokens and self.tokens[0] == "(":  # a call: its name and its argument
            self.take("(")
            argument = self.value()
            self.take(")")
            return {token: argument}
        return int(token) if re.fullmatch(r"-?\d+", token) else f"reference {token}"

    def array(self) -> list[object]:
        self.take("[")
        found = []
        while self.tokens[0] != "]":
            found.append(self.value())
            self.take(",")
        self.take("]")
        return found


def string(token: str) -> str:
    """Return what a quoted template without interpolation says.

    https://github.com/hashicorp/hcl/blob/main/hclsyntax/spec.md#template-literals
    """
    assert token.startswith('"'), token
    body, out = token[1:-1], []
    while body:
        if body.startswith(("$${", "%%{")):
            out.append(body[1:3])
            body = body[3:]
        elif body[0] == "\\":
            size = 10 if body[1] == "U" else 2
            out.append(chr(int(body[2:size], 16)) if size == 10 else body[1])
            body = body[size:]
        else:
            assert not body.startswith(("${", "%{")), "a template"
            out.append(body[0])
            body = body[1:]
    return "".join(out)


def attributes(value: object) -> dict[str, object]:
    """Return a block's or a call's attributes, typed as such."""
    assert isinstance(value, dict)
    return value


def read(text: str) -> dict[tuple[str, ...], dict[str, object]]:
    """Return a file's blocks."""
    return Reader(text).file()
