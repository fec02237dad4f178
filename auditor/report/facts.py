"""What formats for machines say alike: requests in words, ids, limits, what was left out.

Every text that comes out is ``visible``: printable, on one line, without lone surrogates.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Final

from auditor.actions import BOUNCE
from auditor.report.json import role_to_dict
from auditor.report.words import NOT_EVALUATED, count, statement_words
from auditor.text import visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from auditor.findings import Finding, Report, RoleReport, Suppressed, Witness

_RECIPIENTS: Final = "ses:recipients"  # context keys ignore case
_SENDS: Final = "ses:Send"
_CUT: Final = " [cut]"
_SOME_ERRORS: Final = 3  # named in one sentence; the reports list them all


def request_rows(witness: Witness) -> Iterator[tuple[str, str]]:
    """Yield a request in words, whole: ``call``, ``from``, ``to`` and a ``with`` for each key.

    A call that mails nobody has ``on`` in place of ``from`` and ``to``.
    """
    yield "call", visible(witness.action)
    sends = witness.action.startswith(_SENDS)
    yield "from" if sends else "on", joined(witness.resources)
    to = recipients(witness)
    if to:
        yield "to", joined(to)
    elif witness.action == BOUNCE:
        yield "to", "whoever sent the mail that it answers"
    elif sends:
        yield "to", "anyone (the call carries no recipients to check)"
    for key, value in sorted(witness.context.items()):
        if key.lower() != _RECIPIENTS:
            values = [value] if isinstance(value, str) else value
            yield "with", f"{visible(key)} = {joined(values)}"


def request_sentence(witness: Witness) -> str:
    """Return a request in one sentence: ``ses:SendEmail from … to … with … = …``."""
    (_, call), *rest = request_rows(witness)
    return " ".join((call, *(f"{label} {text}" for label, text in rest)))


def recipients(witness: Witness) -> tuple[str, ...]:
    """Return the recipients that the request carries, none where its action carries none."""
    for key, value in witness.context.items():
        if key.lower() == _RECIPIENTS:
            return (value,) if isinstance(value, str) else value
    return ()


def statements_words(finding: Finding) -> str:
    """Return what lets the request through, or what the advice is about; empty without."""
    return "; ".join(statement_words(ref) for ref in finding.statements)


def joined(texts: Iterable[str], joint: str = ", ") -> str:
    """Join texts of others, visible."""
    return joint.join(map(visible, texts))


def findings_with_values(
    role: RoleReport,
) -> Iterator[tuple[Finding, Mapping[str, object]]]:
    """Yield each finding with its JSON values as in the JSON report, texts not yet visible."""
    values = role_to_dict(role)["findings"]
    assert isinstance(values, list)  # noqa: S101 - the report's own shape
    yield from zip(role.findings, values, strict=True)


def suppressed_with_values(
    role: RoleReport,
) -> Iterator[tuple[Suppressed, Mapping[str, object]]]:
    """Yield each finding that an exception covers, likewise."""
    if not role.suppressed:
        return
    values = role_to_dict(role)["suppressed"]
    assert isinstance(values, list)  # noqa: S101 - the report's own shape
    yield from zip(role.suppressed, values, strict=True)


def witness_json(values: Mapping[str, object]) -> str:
    """Return a finding's witness as JSON text in ASCII, or an empty text without one."""
    witness = values["witness"]
    return "" if witness is None else json.dumps(witness)


def sentence(text: str) -> str:
    """Return a text visible, and closed by a full stop if nothing else closes it."""
    shown = visible(text)
    return shown if shown.endswith((".", "!", "?")) else f"{shown}."


def stable_id(*parts: str) -> str:
    """Return 16 hexadecimal digits that hang on the parts alone, as a finding's id does."""
    text = "\n".join(parts).encode("utf-8", "surrogatepass")
    return hashlib.sha256(text).hexdigest()[:16]


def bounded(text: str, limit: int) -> str:
    """Return the text visible, of 1 to ``limit`` characters; a cut is said. Never blank.

    Receivers that bound a field's length refuse the whole entry where it is longer or blank.
    """
    shown = visible(text)
    if len(shown) > limit:
        return shown[: limit - len(_CUT)] + _CUT
    return shown if shown.strip() else "(empty)"


def errors_sentence(report: Report) -> str:
    """Return how much could not be read, naming the first of it; empty where nothing failed."""
    if not report.errors:
        return ""
    first = [f"{visible(e.where)}: {visible(e.message)}" for e in report.errors[:_SOME_ERRORS]]
    rest = len(report.errors) - _SOME_ERRORS
    more = f"; and {rest:,} more" if rest > 0 else ""
    return f"{count(len(report.errors), 'thing')} could not be read: {'; '.join(first)}{more}"


def not_evaluated_words(report: Report) -> list[str]:
    """Return what the source can't contain, each in words."""
    return [visible(NOT_EVALUATED.get(gap, gap)) for gap in report.not_evaluated]
