"""Strings in double quotes, as YAML and HCL both read them."""

from __future__ import annotations


def quoted(text: str) -> str:
    r"""Return a double-quoted string as YAML and HCL both read it: ASCII, the rest ``\U…``.

    https://yaml.org/spec/1.2.2/#57-escaped-characters
    https://github.com/hashicorp/hcl/blob/main/hclsyntax/spec.md#template-expressions
    """
    return '"' + "".join(escaped(char) for char in text) + '"'


def escaped(char: str) -> str:
    """Return one character as it stands between those quotes."""
    if char in '"\\':
        return f"\\{char}"
    return char if " " <= char <= "~" else f"\\U{ord(char):08x}"
