"""What the page says of roles and requests in plain words. Values in, strings out."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from auditor.actions import BOUNCE, FROM_ADDRESS, RECIPIENTS
from auditor.report.past import because, covering
from auditor.report.words import closed_words, limits_words, statement_words

if TYPE_CHECKING:
    from auditor.findings import Finding, RoleReport, StatementRef, Witness

_SIMULATOR: Final = "@simulator.amazonses.com"
_REGION: Final = "aws:requestedregion"
_FROM: Final = FROM_ADDRESS.lower()

ANYBODY: Final = "anyone: the call carries no recipients to check"
ACCEPTED: Final = "It can mail real people; what exposes it is covered by an exception:"
NOTED: Final = (
    "It can mail real people. Exceptions cover what was found, but not what could not be read."
)
ANSWERED: Final = "whoever sent the mail that it answers"


_SAFE: Final = {
    "simulator_only": "Sends are allowed to the mailbox simulator alone.",
    "no_send": "No send to an address of its choosing is allowed.",
}


class Row(NamedTuple):
    """One line of a request: what it is, and its values."""

    label: str
    values: tuple[str, ...]


def kind_of(role: RoleReport) -> str:
    """Return a role's verdict, how certain its exposure is, or ``excepted``."""
    return "excepted" if role.accepted() else role.open_certainty() or role.verdict


def sentence_of(role: RoleReport) -> str:
    """Return what matters most of a role, without its name: its row has that."""
    if role.verdict == "undetermined":
        return role.reason or "no reason was recorded"
    finding = role.worst() or next(iter(role.findings), None)
    if role.accepted():
        return f"{ACCEPTED} {'; '.join(map(because, covering(role)))}"
    if role.suppressed and (finding is None or not opens(finding)) and role.verdict == "exposed":
        return NOTED
    if finding is not None:
        return title_of(finding, role)
    said = _SAFE.get(role.verdict)
    if said is None:
        return "No finding was recorded."
    closed = closed_words(role)
    if closed is None or role.closed is None:
        return said
    by = limits_words(role.closed)
    more = f", and {len(by) - 1:,} more" if len(by) > 1 else ""
    return f"{closed}{': ' if by else ''}{''.join(by[:1])}{more}."


def opens(finding: Finding) -> bool:
    """Tell whether a finding exposes a role, rather than being advice beside its verdict."""
    return finding.severity in ("high", "medium")


def title_of(finding: Finding, role: RoleReport) -> str:
    """Return a finding's title without the role's name at its start."""
    title = finding.title
    for start in (f"{role.name} ", f"{role.name}: "):
        if title.startswith(start):
            title = title.removeprefix(start)
            return title[:1].upper() + title[1:]
    return title


def remedy_of(finding: Finding) -> str:
    """Return what to do without the place of the rule's page: the report explains it itself."""
    return _PAGE.sub(".", finding.remediation)


_PAGE: Final = re.compile(r":(?: see)? docs/rules/[a-z-]+\.md\.?$")


def request_rows(witness: Witness) -> list[Row]:
    """Return a request as one reads it: the call, from whom, to whom, where, with what else."""
    known = {key.lower(): _values(value) for key, value in witness.context.items()}
    sends = witness.action.lower().startswith("ses:send")
    rows = [Row("Call", (witness.action,))]
    if sends:
        rows.append(Row("From", known.get(_FROM) or (_sender(witness.resources[0]),)))
        rows.append(Row("To", whom(witness)))
    rows.append(Row("Resource", witness.resources))
    if _REGION in known:
        rows.append(Row("Region", known[_REGION]))
    told = {_REGION, *((_FROM, RECIPIENTS) if sends else ())}
    rows += [
        Row("With", (f"{key} = {', '.join(_values(value))}",))
        for key, value in sorted(witness.context.items())
        if key.lower() not in told
    ]
    return rows


def whom(witness: Witness) -> tuple[str, ...]:
    """Return whom a send would reach: its recipients, or what stands for them."""
    found = [v for key, v in witness.context.items() if key.lower() == RECIPIENTS]
    if found:
        return _values(found[0])
    return (ANSWERED if witness.action == BOUNCE else ANYBODY,)


def real_of(witness: Witness) -> str | None:
    """Return the first recipient outside the simulator; None where the call carries none."""
    found = [
        address
        for key, value in witness.context.items()
        if key.lower() == RECIPIENTS
        for address in _values(value)
        if not address.lower().endswith(_SIMULATOR)
    ]
    return found[0] if found else None


def place_of(ref: StatementRef) -> str:
    """Return where a statement stands, as the other reports say it."""
    return statement_words(ref)


def _values(value: str | tuple[str, ...]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


def _sender(resource: str) -> str:
    kind, _, name = resource.split(":", 5)[-1].partition("/")
    if kind != "identity":
        return "any sender"
    return name if "@" in name else f"any address at {name}"
