"""The message as a person reads it in a mail: plain text, worst first, never over its budget."""

from __future__ import annotations

import json
import shlex
from datetime import UTC
from typing import TYPE_CHECKING

from auditor.notify.interface import worst_first
from auditor.text import visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from auditor.findings import Finding, Report, RoleReport, StatementRef
    from auditor.notify.interface import Remedy

TEXT_LIMIT = 300  # characters of one name, title, reason or error
LIST_LIMIT = 5  # entries of one list
OTHERS_LIMIT = 10  # findings of one role beside the one shown in full
GAPS_SHARE = 4  # what could not be audited gets at most this part of the budget: 1 in 4
REMEDY_SHARE = 4  # and what was done about it the same

_RULE = "-" * 72


def email_text(report: Report, budget: int, remedy: Remedy | None = None) -> str:
    """Return the mail's text, which costs at most ``budget`` bytes (at least 16 KiB).

    Roles are told in full while they fit, then in a line, and what is left out is counted.
    What was done about them stands before them.
    """
    opening, closing = "\n".join(_opening(report)), "\n".join(_closing(report))
    told = worst_first(report)
    left = budget - cost(opening) - cost(closing) - cost(_and_more(len(told)))
    gaps = _within(_gaps(report), left // GAPS_SHARE)
    left -= cost(gaps)
    done = _within(_done(remedy), left // REMEDY_SHARE)
    left -= cost(done)
    blocks: list[str] = []
    for role in told:
        for text in ("\n".join(_role(role)), _role_in_a_line(role)):
            if (needed := cost(f"\n{text}")) <= left:
                left -= needed
                blocks.append(text)
                break
    if missing := len(told) - len(blocks):
        blocks.append(_and_more(missing))
    return "\n".join([opening, *filter(None, (done,)), gaps, *blocks, closing])


def headline(report: Report) -> str:
    """Return one line that says it all, account and time left out."""
    exposed, undecided = report.count("exposed"), report.count("undetermined")
    proven = report.count("exposed", "proven")
    if exposed:
        ways = [f"{proven} can mail real people through SES (proven)"] if proven else []
        if possible := exposed - proven:
            ways.append(f"{possible} may mail real people through SES (possible)")
        parts = [f"{_count(exposed, 'exposed CodeBuild role')}: {', '.join(ways)}"]
    else:
        parts = ["No exposed CodeBuild role was found"]
    if undecided:
        parts.append(f"{_count(undecided, 'role')} could not be decided")
    if not report.complete:
        parts.append(f"the audit is INCOMPLETE ({_count(len(report.errors), 'error')})")
    return "; ".join(parts)


def clean(text: str, limit: int = TEXT_LIMIT) -> str:
    r"""Return other people's text fit for one line: the unprintable as ``\x1b``, and not too long.

    A line break in a name could forge a line of the mail, a bidi override turn its words around.
    """
    shown = visible(text[: limit + 1])
    return shown if len(shown) <= limit else f"{shown[: limit - 3]}..."


def cost(text: str) -> int:
    """Return the bytes that a text takes as a JSON string in the message, without its quotes."""
    return len(json.dumps(text)) - 2


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _and_more(number: int) -> str:
    return f"\n... and {_count(number, 'more role')}: run `auditor scan` to see all of them."


def _opening(report: Report) -> Iterator[str]:
    counts = report.summary()
    yield f"{headline(report)}."
    yield ""
    yield f"Account   {clean(report.account_id, 40)}"
    yield f"Time      {report.generated_at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
    yield (
        f"Roles     {counts['roles']}: {counts['exposed']} exposed, {counts['undetermined']}"
        f" undetermined, {counts['simulator_only']} simulator only, {counts['no_send']} no send"
    )
    reach = report.reach() if counts["exposed"] else None
    if reach is not None:
        yield f"Reach     {clean(reach)}"


def _done(remedy: Remedy | None) -> Iterator[str]:
    if remedy is not None:
        yield ""
        for line in remedy.lines:
            yield clean(line)


def _gaps(report: Report) -> Iterator[str]:
    if report.errors:
        yield ""
        if not report.complete:
            yield "INCOMPLETE: this could not be read, so roles or projects may be missing:"
        for error in report.errors:
            yield f"  {clean(error.where)}: {clean(error.message)}"
    if report.unresolved_projects:
        yield ""
        yield "Projects whose role was not audited:"
        for project, role_arn, reason in report.unresolved_projects:
            where = f"{clean(project.name)} ({clean(project.region)})"
            yield f"  {where}: {clean(role_arn)}: {clean(reason)}"


def _within(lines: Iterable[str], budget: int) -> str:
    """Join the lines that fit, one after another; count the rest."""
    kept: list[str] = []
    missing = 0
    budget -= 100  # for the line that counts
    for line in lines:
        if missing or (needed := cost(f"\n{line}")) > budget:
            missing += 1
        else:
            budget -= needed
            kept.append(line)
    if missing:
        kept.append(f"  ... and {_count(missing, 'more line')}")
    return "\n".join(kept)


def _role_in_a_line(role: RoleReport) -> str:
    verdict = f"{role.verdict}, {role.certainty}" if role.certainty else role.verdict
    return f"\n{verdict.upper()}: {clean(role.name)}"


def _role(role: RoleReport) -> Iterator[str]:
    yield f"\n{_RULE}{_role_in_a_line(role)}"
    yield f"  Role      {clean(role.arn)}"
    if role.projects:
        yield f"  Projects  {_some([f'{p.name} ({p.region})' for p in role.projects])}"
    if role.reason:
        yield f"  Reason    {clean(role.reason)}"
    for note in role.notes[:LIST_LIMIT]:
        yield f"  Note      {clean(note)}"
    worst = role.worst()
    if worst is not None:
        yield from _finding(worst)
    others = [finding for finding in role.findings if finding is not worst]
    for finding in others[:OTHERS_LIMIT]:
        yield f"  Also      {_title(finding)}"
    if len(others) > OTHERS_LIMIT:
        yield f"  Also      {_count(len(others) - OTHERS_LIMIT, 'more finding')}"
    yield f"  Look at   auditor scan --role {shlex.quote(clean(role.name))}"


def _finding(finding: Finding) -> Iterator[str]:
    yield f"  Finding   {_title(finding)}"
    if (witness := finding.witness) is not None:
        context = dict(witness.context)
        recipients = _values(context.pop("ses:Recipients", ()))
        yield f"  Proof     {clean(witness.action)}"
        yield f"    from    {_some(witness.resources)}"
        yield f"    to      {recipients or 'anyone (the call carries no recipients to check)'}"
        for key in sorted(context):
            yield f"    with    {clean(key)} = {_values(context[key])}"
    for ref in finding.statements[:LIST_LIMIT]:
        yield f"    by      {_statement(ref)}"
    yield f"  Fix       {clean(finding.remediation)}"


def _title(finding: Finding) -> str:
    return f"{clean(finding.severity)} {clean(finding.rule)}: {clean(finding.title)}"


def _statement(ref: StatementRef) -> str:
    sid = f' "{clean(ref.sid)}"' if ref.sid else ""
    policy = clean(ref.policy_arn or ref.policy)
    if ref.role:
        policy += f" of role {clean(ref.role)}"
    return f"{clean(ref.effect)} in statement {ref.index}{sid} of {clean(ref.kind)} policy {policy}"


def _values(value: str | tuple[str, ...]) -> str:
    return _some([value] if isinstance(value, str) else value)


def _some(items: Sequence[str], limit: int = TEXT_LIMIT) -> str:
    shown = ", ".join(clean(item, limit) for item in items[:LIST_LIMIT])
    rest = len(items) - LIST_LIMIT
    return f"{shown} and {rest} more" if rest > 0 else shown


def _closing(report: Report) -> Iterator[str]:
    yield ""
    if report.not_evaluated:
        yield f"Not evaluated, as the source doesn't contain it: {_some(report.not_evaluated, 60)}"
    yield "This mail shows the worst of each role. The whole report: auditor scan --format json"
