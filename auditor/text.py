"""Other people's text, made fit to show: names, reasons and messages are untrusted."""

from __future__ import annotations


def visible(text: str) -> str:
    r"""Return the text with everything that doesn't print as itself made visible, as ``\x1b``.

    Line breaks could forge lines, escape sequences steer the terminal, and bidi overrides turn
    words around (https://trojansource.codes). ``str.isprintable`` is false for all of those.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else _escaped(c) for c in text)


def _escaped(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")
