"""Untrusted parts of a document as a message shows them."""

from __future__ import annotations


def shorten(value: object) -> str:
    """Show an untrusted value in a message: ASCII, quoted, at most 60 characters."""
    text = kind_of(value) if isinstance(value, dict | list) else ascii(value)
    return text if len(text) <= 60 else f"{text[:57]}…"


def kind_of(value: object) -> str:
    """Name a JSON type in a person's words."""
    if value is None:
        return "null"
    names = {bool: "a boolean", int: "a number", float: "a number", str: "a string", list: "a list"}
    return names.get(type(value), "an object")
