"""Reads the HTML report as a browser would parse it, without running anything."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

Attributes = dict[str, str]
VOID = {"meta", "link", "input", "path", "rect", "br"}


@dataclass
class Element:
    """One element: its text is that of everything in it."""

    tag: str
    attributes: Attributes
    text: str = ""


@dataclass
class Page(HTMLParser):
    """A page's elements in the order of their start tags. A tag left open is a fault."""

    source: str
    elements: list[Element] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._open: list[Element] = []
        self.feed(self.source)
        self.close()
        assert not self._open, f"never closed: {[one.tag for one in self._open]}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs})
        self.elements.append(element)
        if tag not in VOID:
            self._open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(Element(tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        closed = self._open.pop()
        assert closed.tag == tag, f"</{tag}> closes <{closed.tag}>"

    def handle_data(self, data: str) -> None:
        for element in self._open:
            element.text += data

    def all(self, tag: str, **attributes: str) -> list[Element]:
        """Return a tag's elements that have these attributes (``class_``: among others)."""
        kind = attributes.pop("class_", None)
        return [
            one
            for one in self.elements
            if one.tag == tag
            and (kind is None or kind in one.attributes.get("class", "").split())
            and attributes.items() <= one.attributes.items()
        ]

    def one(self, tag: str, **attributes: str) -> Element:
        (found,) = self.all(tag, **attributes)
        return found

    @property
    def data(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.one("script", type="application/json").text)
        return found

    def proofs(self) -> list[dict[str, Any]]:
        """Return the roles' details with each number replaced by its text, statements as pairs."""
        texts = self.data["texts"]
        return [_proof(role, texts) for role in self.data["roles"]]


def _proof(role: dict[str, Any], texts: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = {
        name: [texts[n] for n in role.get(name, [])] for name in ("projects", "notes", "others")
    }
    found |= {name: texts[role[name]] if name in role else None for name in ("fix", "overrules")}
    found["findings"] = [
        {
            **{name: texts[one[name]] for name in ("severity", "certainty", "rule", "title")},
            "request": [[texts[n] for n in row] for row in one.get("request", [])],
            "also": [[texts[n] for n in row] for row in one.get("also", [])],
            "confirmed": [texts[n] for n in one.get("confirmed", [])],
            "statements": [
                (texts[where], texts[number] if whole else None, marks)
                for where, whole, number, *marks in one.get("statements", [])
            ],
        }
        for one in role.get("findings", [])
    ]
    return found
