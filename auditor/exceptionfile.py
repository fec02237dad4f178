"""The file of exceptions: YAML text -> ``RoleException``, each error with its line and key.

Only plain lists, mappings and texts are read. Aliases are refused (nine lines of them can stand
for a billion values), and so are tags, keys given twice, and whatever nests deeper than the format.
https://yaml.org/spec/1.2.2/#71-alias-nodes
"""

from __future__ import annotations

import re
from datetime import date
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from auditor.errors import InputError
from auditor.exceptions import EVERY_RULE
from auditor.lasting import RoleException
from auditor.rules.catalogue import RULES
from auditor.text import visible

if TYPE_CHECKING:
    from typing import TypeAlias

    Node: TypeAlias = Any  # PyYAML's types don't tell what a node's value is

SIZE_LIMIT: Final = 128 * 1024
"""Bytes of a file: about a thousand exceptions, and seconds to read, however it is written."""
TEXT_LIMIT: Final = 1_000
"""Characters of a reason or an owner."""
GLOB_LIMIT: Final = 2_048
"""Characters of a role's glob. A role's ARN has no more:
https://docs.aws.amazon.com/IAM/latest/APIReference/API_Role.html"""

_TOP: Final = "exceptions"
_KEYS: Final = ("role", "rule", "reason", "owner", "expires")
_DEPTH: Final = 5  # the file's mapping, its list, an entry, a value; what is wrongly in that
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TAG: Final = "tag:yaml.org,2002:"
_STAR: Final = "; a text that begins with * must stand in quotes"


class ExceptionFileError(InputError):
    """A file of exceptions that can't be used: where, what, and what to do."""


class _Value(NamedTuple):
    """A text of the file, with the key it stands under and its line (from 1)."""

    key: str
    text: str
    line: int


def parse(data: bytes, where: str) -> tuple[RoleException, ...]:
    """Return the exceptions that a file holds, in its order.

    :param data: the file, UTF-8.
    :param where: its name, for messages and ``RoleException.where``.
    :raises ExceptionFileError: at the first thing that is wrong: one line with file, line and key.
    """
    if len(data) > SIZE_LIMIT:
        raise ExceptionFileError(
            f"{where}: {len(data):,} bytes, where a file of exceptions has at most {SIZE_LIMIT:,}"
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise ExceptionFileError(f"{where}:{line}: isn't UTF-8; save it as UTF-8") from error
    return _Reader(where).read(text)


class _Reader:
    """Reads one file; knows its name for the messages."""

    def __init__(self, where: str) -> None:
        self._where = where

    def read(self, text: str) -> tuple[RoleException, ...]:
        root = self._composed(text)
        if root is None:
            raise self._wrong(1, f"holds nothing; write '{_TOP}:' and a list (it may be [])")
        top = self._mapping(root, (_TOP,), f"'{_TOP}:' and a list are expected")
        node = top.get(_TOP)
        if node is None:
            raise self._wrong(1, f"'{_TOP}:' is missing, with a list of exceptions")
        if node.id != "sequence":
            raise self._wrong(_line(node), f"{_TOP}: a list is expected (write [] for none)")
        return tuple(self._entry(one, n) for n, one in enumerate(node.value, 1))

    def _composed(self, text: str) -> Node | None:
        """Return the file as YAML's nodes, none deeper than the format needs."""
        import yaml  # here, as it takes time and most runs have no such file

        reader = self

        class Loader(yaml.SafeLoader):
            """Refuses what could make a small file large, before any of it is built."""

            depth = 0

            def compose_node(self, parent: Node | None, index: Any) -> Node | None:
                event: Any = self.peek_event()  # type: ignore[no-untyped-call]  # of PyYAML's stubs
                line = event.start_mark.line + 1
                if isinstance(event, yaml.AliasEvent):
                    raise reader._wrong(line, f"aliases are not supported{_STAR}")
                if getattr(event, "anchor", None) is not None:
                    raise reader._wrong(line, "anchors are not supported; write it out")
                if getattr(event, "tag", None) is not None:
                    raise reader._wrong(line, "tags (!…) are not supported; leave it out")
                self.depth += 1
                if self.depth > _DEPTH:
                    raise reader._wrong(line, "nested too deeply; a text is expected")
                node: Node | None = super().compose_node(parent, index)
                self.depth -= 1
                return node

        try:
            return yaml.compose(text, Loader=Loader)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            hint = _STAR if error.context == "while scanning an alias" else ""
            told = ", ".join(filter(None, (error.context, error.problem)))
            what = visible(told or "it can't be read")
            raise self._wrong(mark.line + 1 if mark else 1, f"isn't YAML: {what}{hint}") from error
        except yaml.reader.ReaderError as error:
            line = text[: error.position].count("\n") + 1
            raise self._wrong(
                line, f"holds the character U+{ord(text[error.position]):04X}, which YAML forbids"
            ) from error

    def _entry(self, node: Node, number: int) -> RoleException:
        what = f"exception {number}: a mapping with {', '.join(_KEYS)} is expected"
        line = _line(node)
        values = {
            key: self._text(key, value) for key, value in self._mapping(node, _KEYS, what).items()
        }
        missing = [key for key in _KEYS if key not in values]
        if missing:
            raise self._wrong(line, f"exception {number}: {' and '.join(missing)} missing")
        for key, limit in (("role", GLOB_LIMIT), ("reason", TEXT_LIMIT), ("owner", TEXT_LIMIT)):
            if len(values[key].text) > limit:
                raise self._wrong(
                    values[key].line, f"{key}: longer than {limit:,} characters; shorten it"
                )
        return RoleException(
            values["role"].text,
            self._rule(values["rule"]),
            values["reason"].text,
            values["owner"].text,
            self._day(values["expires"]),
            f"{self._where}:{line}",
        )

    def _mapping(self, node: Node, known: tuple[str, ...], what: str) -> dict[str, Node]:
        if node.id != "mapping":
            raise self._wrong(_line(node), what)
        found: dict[str, Node] = {}
        for key, value in node.value:
            name = key.value if key.id == "scalar" else ""
            if name not in known:
                near = get_close_matches(name, known, n=1)
                hint = f"did you mean {near[0]}?" if near else f"known are: {', '.join(known)}"
                raise self._wrong(_line(key), f"{_shown(name)} is no key here; {hint}")
            if name in found:
                raise self._wrong(_line(key), f"{name}: is given twice in one entry")
            found[name] = value
        return found

    def _text(self, key: str, node: Node) -> _Value:
        """Return a value; only ``expires`` may be written as a date, without quotes."""
        line = _line(node)
        if node.id != "scalar":
            raise self._wrong(line, f"{key}: a text is expected, not a list or a mapping")
        kind = node.tag.removeprefix(_TAG)
        text = " ".join(node.value.split())  # a folded text is one line
        if kind == "null" or not text:
            raise self._wrong(line, f"{key}: is empty")
        if kind != "str" and not (key == "expires" and kind == "timestamp"):
            raise self._wrong(line, f"{key}: {_shown(text)} reads as {kind}; put it in quotes")
        return _Value(key, text, line)

    def _rule(self, value: _Value) -> str:
        if value.text == EVERY_RULE or value.text in RULES:
            return value.text
        near = get_close_matches(value.text, RULES, n=1)
        hint = f"did you mean {near[0]}?" if near else f'one of docs/rules, or "{EVERY_RULE}"'
        raise self._wrong(value.line, f"rule: there is no rule {_shown(value.text)}; {hint}")

    def _day(self, value: _Value) -> date:
        try:
            if _DAY.fullmatch(value.text):
                return date.fromisoformat(value.text)
        except ValueError:
            pass  # said below
        raise self._wrong(
            value.line, f"expires: {_shown(value.text)} is no day; write it as 2027-01-31"
        )

    def _wrong(self, line: int, what: str) -> ExceptionFileError:
        return ExceptionFileError(f"{self._where}:{line}: {what}")


def _line(node: Node) -> int:
    line: int = node.start_mark.line + 1
    return line


def _shown(text: str) -> str:
    """Return a text of the file, quoted and short."""
    shown = visible(text)
    return f"'{shown}'" if len(shown) <= 60 else f"'{shown[:57]}...'"
