"""News -> the blocks of one Slack message: pure, and within Slack's limits.

https://docs.slack.dev/reference/block-kit/blocks has the limits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from auditor.notify import excepted, facts
from auditor.notify.facts import clean, count
from auditor.notify.headline import headline

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from auditor.findings import Finding, Report, RoleReport
    from auditor.notify.interface import News

MAX_BLOCKS: Final = 50
MAX_HEADER: Final = 150
MAX_SECTION: Final = 3_000
MAX_TEXT: Final = 4_000  # advised for a message: https://api.slack.com/changelog/2018-04-truncating-really-long-messages
ROLES: Final = 10
"""Roles in full: more than a channel wants to scroll through; the rest are counted."""
CHANGES: Final = 30
"""Changes listed, a line each; the rest are counted."""

_GAPS: Final = 5  # failed reads that are named
_CONSOLES: Final = {
    "aws": "console.aws.amazon.com",
    "aws-cn": "console.amazonaws.cn",
    "aws-us-gov": "console.amazonaws-us-gov.com",
}


def blocks(news: News) -> list[dict[str, Any]]:
    """Return the message's blocks: a headline, what changed, the counts, the worst roles."""
    report = news.report
    told = facts.roles_told(news)
    lead = facts.lead(news) or headline(news)
    found = [
        {"type": "header", "text": _plain(f"auditor: {lead}", MAX_HEADER)},
        _section([*_expired(report), f"*{escaped(headline(news))}.*", *_counts(report)]),
    ]
    idle = [escaped(line) for line in (*excepted.ending(report), *excepted.idle(report))]
    parts = (list(_changed(news)), list(_gaps(news)), list(_done(news)), idle)
    found += [_section(lines) for lines in parts if lines]
    for role in told[:ROLES]:
        found += [{"type": "divider"}, _role(role)]
    if len(told) > ROLES:
        rest = f"… and {count(len(told) - ROLES, 'more role')}: `auditor scan`"
        found += [{"type": "divider"}, _section([rest])]
    if news.stored:
        found.append(_section([f"The whole report: `{code(clean(news.stored, 1_100))}`"]))
    if news.id:
        words = f"Message `{code(clean(news.id[:8]))}`; should it come twice, it has the same name"
        found.append({"type": "context", "elements": [{"type": "mrkdwn", "text": words}]})
    return found[:MAX_BLOCKS]


def fallback(news: News) -> str:
    """Return the text that notifications show in place of blocks."""
    lead = facts.lead(news)
    first = f"{lead}; " if lead else ""
    account = clean(news.report.account_id, 40)
    return escaped(f"auditor, account {account}: {first}{headline(news)}")[:MAX_TEXT]


def escaped(text: str) -> str:
    """Return text in which nothing is a link, a mention or a channel.

    https://docs.slack.dev/messaging/formatting-message-text#escaping
    """
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def code(text: str) -> str:
    """Return text that may stand between backticks, which no text can leave then."""
    return escaped(text.replace("`", "'"))


def _expired(report: Report) -> Iterator[str]:
    for line in excepted.open_again(report):
        yield f":warning: {escaped(line)}"


def _counts(report: Report) -> Iterator[str]:
    counts = report.summary()
    account = code(clean(report.account_id, 40))
    yield (
        f"Account `{account}`: {count(counts['roles'], 'CodeBuild role')},"
        f" {counts['exposed']} exposed, {counts['undetermined']} undetermined"
    )
    reach = report.reach() if counts["exposed"] else None
    if reach is not None:
        yield escaped(clean(reach))


def _changed(news: News) -> Iterator[str]:
    heading = ""
    told = list(facts.change_lines(news.changes))
    for kind, one in told[:CHANGES]:
        if kind != heading:
            heading = kind
            yield f"*{facts.HEADINGS[kind]}*"
        yield f"• {escaped(facts.change_line(one, kind, news.report))}"
    if len(told) > CHANGES:
        yield f"… and {count(len(told) - CHANGES, 'more change')}"


def _gaps(news: News) -> Iterator[str]:
    if not news.report.complete:
        yield ":warning: *The audit is incomplete*: roles or projects may be missing"
        for error in news.report.errors[:_GAPS]:
            yield f"• {escaped(clean(error.where))}: {escaped(clean(error.message))}"
    if news.unseen:
        names = [facts.role_name(one.role_arn) for one in news.unseen]
        yield f"Not looked at, so open as before: {escaped(facts.some(list(dict.fromkeys(names))))}"
        if why := facts.unseen_why(news):
            yield why


def _done(news: News) -> Iterator[str]:
    for line in news.remedy.lines[:_GAPS] if news.remedy else ():
        yield escaped(clean(line))


def _role(role: RoleReport) -> dict[str, Any]:
    lines = [f"*{escaped(facts.verdict(role).upper())}*: `{code(clean(role.name))}`"]
    if role.projects:
        names = [f"{one.name} ({one.region})" for one in role.projects]
        lines.append(f"Projects: {escaped(facts.some(names))}")
    if role.reason:
        lines += [f"Reason: {escaped(clean(role.reason))}", f"Read: {facts.rule_page('')}"]
    lines += [f"Note: {escaped(clean(note))}" for note in role.notes[:1]]
    if why := facts.covered_why(role):
        lines.append(why)
    worst = facts.shown(role).worst()
    if worst is not None:
        lines += _finding(worst)
    if role.verdict == "exposed":
        lines.append(f"Plan the fix: `{code(facts.plan_command(role.name))}`")
    section = _section(lines)
    url = _console(role)
    if url:
        label = {"type": "plain_text", "text": "Open the role"}
        section["accessory"] = {"type": "button", "text": label, "url": url}
    return section


def _finding(finding: Finding) -> Iterator[str]:
    yield escaped(facts.title(finding))
    if finding.witness is not None:
        to = code(facts.recipients(finding.witness))
        yield f"Could mail: `{code(clean(finding.witness.action))}` to `{to}`"
    for ref in finding.statements[:2]:
        yield f"By: {escaped(facts.statement(ref))}"
    yield f"Read: {facts.rule_page(finding.rule)}"


def _console(role: RoleReport) -> str:
    """Return the role's page in AWS's console; empty for a partition whose console we don't know.

    A button's address has at most 3,000 characters; a role's name has 64.
    """
    parts = role.arn.split(":", 2)
    host = _CONSOLES.get(parts[1]) if len(parts) > 1 else None
    name = quote(clean(role.name, 64).encode("utf-8", "replace"), safe="")
    return f"https://{host}/iam/home#/roles/details/{name}" if host else ""


def _section(lines: Iterable[str]) -> dict[str, Any]:
    """Return a section of the lines that fit; the rest are counted."""
    kept: list[str] = []
    left, missing = MAX_SECTION - len("\n… and 1,000,000 more lines"), 0
    for line in lines:
        if missing or len(line) + 1 > left:
            missing += 1
        else:
            kept.append(line)
            left -= len(line) + 1
    if missing:
        kept.append(f"… and {count(missing, 'more line')}")
    return {"type": "section", "text": {"type": "mrkdwn", "text": "\n".join(kept)}}


def _plain(text: str, limit: int) -> dict[str, Any]:
    return {"type": "plain_text", "text": clean(text, limit), "emoji": False}
