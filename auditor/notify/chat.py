"""News -> a custom notification of Amazon Q Developer in chat applications (Slack, Teams, Chime).

It reads one schema from an SNS topic and drops every other message silently, so the topic is one of
its own: https://docs.aws.amazon.com/chatbot/latest/adminguide/custom-notifs.html
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from auditor.notify import excepted, facts
from auditor.notify.blocks import code, escaped
from auditor.notify.facts import clean, count
from auditor.notify.headline import headline
from auditor.notify.message import SnsMessage
from auditor.notify.sns import send

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_sns import SNSClient

    from auditor.findings import RoleReport
    from auditor.notify.interface import News

# A message in a chat is short: these are ours, so that what arrives is read.
TITLE: Final = 150
DESCRIPTION: Final = 3_000
ROLES: Final = 5
CHANGES: Final = 15
RESOURCES: Final = 10


def publish(client: SNSClient, topic_arn: str, news: News) -> str | None:
    """Publish news to the topic that Amazon Q listens to; the message's id.

    Raises NotifyError: one line with the topic and AWS's words.
    """
    text = json.dumps(notification(news))
    message = SnsMessage("auditor", text, {}, texts=False)
    return send(client, topic_arn, message, news.report.account_id, news.id)


def notification(news: News) -> dict[str, Any]:
    """Return the notification as JSON values."""
    report = news.report
    told = facts.roles_told(news)
    lead, first = facts.lead(news), headline(news)
    account = clean(report.account_id, 40)
    return {
        "version": "1.0",
        "source": "custom",
        "id": news.id or account,
        "content": {
            "textType": "client-markdown",
            "title": escaped(clean(lead or first, TITLE)),
            "description": _fitting(_lines(news, told)),
            "nextSteps": [
                f"`{code(facts.plan_command(role.name))}`"
                for role in told[:ROLES]
                if role.verdict == "exposed"
            ]
            or ["`auditor scan`"],
            "keywords": ["SES", "CodeBuild", news.occasion],
        },
        "metadata": {
            # One thread an account: what is resolved stands below what was found.
            "threadId": f"auditor-{account}",
            "summary": clean(f"auditor, account {account}: {first}"),
            "eventType": news.occasion,
            "relatedResources": [clean(role.arn) for role in told[:RESOURCES]],
            "additionalContext": {
                "account": account,
                "complete": "true" if report.complete else "false",
                **{kind: str(n) for kind, n in facts.change_counts(news.changes).items()},
            },
        },
    }


def _lines(news: News, told: list[RoleReport]) -> Iterator[str]:
    for line in excepted.open_again(news.report):
        yield f"• {escaped(line)}"
    yield f"*{escaped(headline(news))}.*"
    changed = list(facts.change_lines(news.changes))
    for kind, one in changed[:CHANGES]:
        yield f"• {facts.HEADINGS[kind]}: {escaped(facts.change_line(one, kind, news.report))}"
    if len(changed) > CHANGES:
        yield f"… and {count(len(changed) - CHANGES, 'more change')}"
    for error in news.report.errors[:ROLES]:
        yield f"Could not be read: {escaped(clean(error.where))}: {escaped(clean(error.message))}"
    if news.unseen:
        yield f"{count(len(news.unseen), 'finding')} could not be looked at, so open as before"
        if why := facts.unseen_why(news):
            yield why
    for line in news.remedy.lines[:ROLES] if news.remedy else ():
        yield escaped(clean(line))
    for line in (*excepted.ending(news.report), *excepted.idle(news.report)):
        yield escaped(line)
    for role in told[:ROLES]:
        yield _role(role)
    if len(told) > ROLES:
        yield f"… and {count(len(told) - ROLES, 'more role')}"


def _role(role: RoleReport) -> str:
    parts = [f"*{escaped(facts.verdict(role))}* `{code(clean(role.name))}`"]
    if role.projects:
        parts.append(f"(projects: {escaped(facts.some([one.name for one in role.projects]))})")
    if role.reason:
        parts.append(escaped(clean(role.reason)))
    parts += [f"(note: {escaped(clean(note))})" for note in role.notes[:1]]
    if why := facts.covered_why(role):
        parts.append(f"({why})")
    worst = facts.shown(role).worst()
    if worst is not None and worst.witness is not None:
        to = code(facts.recipients(worst.witness))
        parts.append(f"could mail `{to}` by `{code(clean(worst.witness.action))}`")
        parts += [escaped(facts.statement(ref)) for ref in worst.statements[:1]]
        parts.append(f"see {facts.rule_page(worst.rule)}")
    return " ".join(parts)


def _fitting(lines: Iterator[str]) -> str:
    kept: list[str] = []
    left = DESCRIPTION - 40  # for the line that counts
    missing = 0
    for line in lines:
        if missing or len(line) + 1 > left:
            missing += 1
        else:
            kept.append(line)
            left -= len(line) + 1
    return "\n".join([*kept, f"… and {count(missing, 'more line')}"] if missing else kept)
