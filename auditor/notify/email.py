"""The message as a person reads it in a mail: what changed first, never over its budget."""

from __future__ import annotations

import json
from datetime import UTC
from typing import TYPE_CHECKING, Final

from auditor.notify import excepted, facts
from auditor.notify.facts import LIST_LIMIT, clean, count
from auditor.notify.headline import headline

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from auditor.findings import Finding, Report, RoleReport
    from auditor.notify.interface import News, Remedy

OTHERS_LIMIT: Final = 10  # findings of one role beside the one shown in full
SHARE: Final = 4  # changes, gaps and what was done get at most this part of the room: 1 in 4 each

_RULE: Final = "-" * 72


def email_text(news: News, budget: int) -> str:
    """Return the mail's text, which costs at most ``budget`` bytes (at least 16 KiB).

    What changed stands first, then what was done. Roles are told in full while they fit, then in a
    line, those with something new before the others; what is left out is counted.
    """
    opening, closing = "\n".join(_opening(news)), "\n".join(_closing(news))
    told = facts.roles_told(news)
    left = budget - cost(opening) - cost(closing) - cost(_and_more(len(told)))
    sections = []
    for lines in (_changed(news), _done(news.remedy), _gaps(news), _idle(news)):
        sections.append(_within(lines, left // SHARE))
        left -= cost(sections[-1])
    blocks: list[str] = []
    for role in told:
        for text in ("\n".join(_role(role)), _role_in_a_line(role)):
            if (needed := cost(f"\n{text}")) <= left:
                left -= needed
                blocks.append(text)
                break
    if missing := len(told) - len(blocks):
        blocks.append(_and_more(missing))
    return "\n".join([opening, *filter(None, sections), *blocks, closing])


def cost(text: str) -> int:
    """Return the bytes that a text takes as a JSON string in the message, without its quotes."""
    return len(json.dumps(text)) - 2


def _and_more(number: int) -> str:
    return f"\n... and {count(number, 'more role')}: run `auditor scan` to see all of them."


def _opening(news: News) -> Iterator[str]:
    report = news.report
    counts = report.summary()
    if first := facts.lead(news):
        yield f"{first}."
    for line in excepted.open_again(report):
        yield f"{line}."
    yield f"{headline(news)}."
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


def _changed(news: News) -> Iterator[str]:
    heading = ""
    for kind, one in facts.change_lines(news.changes):
        if heading != kind:
            heading = kind
            yield ""
            yield f"{facts.HEADINGS[kind]}:"
        yield f"  {facts.change_line(one, kind, news.report)}"


def _done(remedy: Remedy | None) -> Iterator[str]:
    if remedy is not None:
        yield ""
        for line in remedy.lines:
            yield clean(line)


def _gaps(news: News) -> Iterator[str]:
    report = news.report
    if report.errors:
        yield ""
        if not report.complete:
            yield "INCOMPLETE: this could not be read, so roles or projects may be missing:"
        for error in report.errors:
            yield f"  {clean(error.where)}: {clean(error.message)}"
    if news.unseen:
        yield ""
        yield "Not looked at this time, so open as they were:"
        for one in news.unseen:
            yield f"  {facts.change_line(one)}"
        if why := facts.unseen_why(news):
            yield f"{why}."
    if report.unresolved_projects:
        yield ""
        yield "Projects whose role was not audited:"
        for project, role_arn, reason in report.unresolved_projects:
            where = f"{clean(project.name)} ({clean(project.region)})"
            yield f"  {where}: {clean(role_arn)}: {clean(reason)}"


def _idle(news: News) -> Iterator[str]:
    lines = [*excepted.ending(news.report), *excepted.idle(news.report)]
    if lines:
        yield ""
        yield from lines


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
        kept.append(f"  ... and {count(missing, 'more line')}")
    return "\n".join(kept)


def _role_in_a_line(role: RoleReport) -> str:
    return f"\n{facts.verdict(role).upper()}: {clean(role.name)}"


def _role(role: RoleReport) -> Iterator[str]:
    yield f"\n{_RULE}{_role_in_a_line(role)}"
    yield f"  Role      {clean(role.arn)}"
    if role.projects:
        yield f"  Projects  {facts.some([f'{p.name} ({p.region})' for p in role.projects])}"
    if role.reason:
        yield f"  Reason    {clean(role.reason)}"
        yield f"  Read      {facts.rule_page('')}"
    for note in role.notes[:LIST_LIMIT]:
        yield f"  Note      {clean(note)}"
    if why := facts.covered_why(role):
        yield f"  Excepted  {why}"
    told = facts.shown(role)
    worst = told.worst()
    if worst is not None:
        yield from _finding(worst)
    others = [finding for finding in told.findings if finding is not worst]
    for finding in others[:OTHERS_LIMIT]:
        yield f"  Also      {facts.title(finding)}"
    if len(others) > OTHERS_LIMIT:
        yield f"  Also      {count(len(others) - OTHERS_LIMIT, 'more finding')}"
    yield f"  Look at   {facts.scan_command(role.name)}"
    if role.verdict == "exposed":
        yield f"  Plan it   {facts.plan_command(role.name)}"


def _finding(finding: Finding) -> Iterator[str]:
    yield f"  Finding   {facts.title(finding)}"
    if (witness := finding.witness) is not None:
        context = dict(witness.context)
        context.pop("ses:Recipients", ())
        yield f"  Proof     {clean(witness.action)}"
        yield f"    from    {facts.some(witness.resources)}"
        yield f"    to      {facts.recipients(witness)}"
        for key in sorted(context):
            yield f"    with    {clean(key)} = {facts.values(context[key])}"
    for ref in finding.statements[:LIST_LIMIT]:
        yield f"    by      {facts.statement(ref)}"
    yield f"  Fix       {clean(finding.remediation)}"
    yield f"  Read      {facts.rule_page(finding.rule)}"


def _closing(news: News) -> Iterator[str]:
    report: Report = news.report
    yield ""
    if report.not_evaluated:
        gaps = facts.some(report.not_evaluated, 60)
        yield f"Not evaluated, as the source doesn't contain it: {gaps}"
    if news.stored:
        yield f"The whole report lies in {clean(news.stored, 1_100)}"
    worst = "This mail shows the worst of each role. " if facts.roles_told(news) else ""
    yield f"{worst}The whole report: auditor scan --format json"
    if news.id:
        yield f"Message {clean(news.id[:8])}; should it come twice, it has the same name"
