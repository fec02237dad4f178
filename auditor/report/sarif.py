"""The report as SARIF 2.1.0, for GitHub code scanning and others that read static analysis.

https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html, and what GitHub makes of it:
https://docs.github.com/en/code-security/code-scanning/integrating-with-code-scanning/sarif-support-for-code-scanning

Code scanning shows results and no notifications. So undetermined roles, projects whose role wasn't
audited and an incomplete audit are results too (``sarif_results``).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from auditor import __version__
from auditor.report.changed import missed
from auditor.report.explained import Explained, explained, plain
from auditor.report.facts import bounded, not_evaluated_words, stable_id
from auditor.report.inert import code
from auditor.report.interface import PLAIN
from auditor.report.json import timestamp
from auditor.report.past import idle_place, idle_uses, idle_why
from auditor.report.rulebook import RULEBOOK
from auditor.report.sarif_results import LEVELS, message, results
from auditor.report.words import limited_words
from auditor.text import visible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditor.findings import Report, Severity
    from auditor.report.interface import Look
    from auditor.report.rulebook import Told

SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"

# GitHub sorts by a score of the rule: from 7.0 it shows high, from 4.0 medium, below that low.
_SCORES: Final[dict[Severity, str]] = {"high": "8.0", "medium": "5.0", "low": "3.0", "info": "1.0"}
_POSSIBLE_ONLY: Final = "undefined-condition"  # never proven, so its results may be wrong


def render(report: Report, look: Look = PLAIN) -> str:  # noqa: ARG001 - every format takes a look
    """Return the report as SARIF in ASCII: one run, one result a line."""
    run = {
        "tool": {"driver": _driver()},
        "automationDetails": {"id": _category(report)},
        "invocations": [
            {
                "executionSuccessful": report.complete,
                "toolExecutionNotifications": list(_notifications(report)),
            }
        ],
        "columnKind": "unicodeCodePoints",
        "properties": {
            "generated_at": timestamp(report.generated_at),
            "account_id": visible(report.account_id),
            "complete": report.complete,
            **({} if report.limits is None else {"limits": limited_words(report)}),
            "summary": report.summary(),
        },
    }
    lines = ",\n".join(map(json.dumps, results(report)))
    return (
        f'{{"$schema": {json.dumps(SCHEMA)}, "version": "2.1.0", "runs": [\n'
        f'{json.dumps(run)[:-1]}, "results": [\n{lines}\n]}}\n]}}\n'
    )


def _category(report: Report) -> str:
    """Return the run's category, which is what stands before the last slash.

    It keeps accounts apart, and audits of a part from those of the whole: code scanning closes the
    alerts of a category that its next run doesn't have.
    """
    account = bounded(report.account_id, 64)
    if report.limits is None:
        return f"auditor/{account}/"
    parts = [f"{kind}={one}" for kind, all_ in report.limits._asdict().items() for one in all_]
    return f"auditor/{account}/part-{stable_id(*sorted(parts))}/"


def _driver() -> dict[str, object]:
    return {
        "name": "auditor",
        "version": __version__,
        "semanticVersion": __version__,
        "rules": [_rule(told) for told in RULEBOOK.values()],
    }


def _rule(told: Told) -> dict[str, object]:
    full = f"{told.title} {told.remedy}"
    about = explained().get(told.id, Explained((), ()))
    told_plain = " ".join(filter(None, (told.title, plain(about.what), plain(about.why))))
    markdown = "\n\n".join(
        (
            code(told.title),
            *about.what,
            *(("**Why it matters**", *about.why) if about.why else ()),
            f"**What to do:** {code(told.remedy)}",
            f"[AWS's page]({told.url})",
        )
    )
    return {
        "id": told.id,
        "name": told.id,
        "shortDescription": {"text": message(told.title)},
        "fullDescription": {"text": message(full)},
        "help": {
            "text": message(f"{told_plain} What to do: {told.remedy} See {told.url}"),
            "markdown": markdown,
        },
        "helpUri": told.url,
        "defaultConfiguration": {"level": LEVELS[told.severity]},
        "properties": {
            "tags": ["security", "iam", "ses", "codebuild"],
            "precision": "medium" if told.id == _POSSIBLE_ONLY else "high",
            "security-severity": _SCORES[told.severity],
        },
    }


def _notifications(report: Report) -> Iterator[dict[str, object]]:
    """Yield what was not looked at or is over, for readers of the whole file."""
    for error in report.errors:
        text = f"{error.where}: {error.message}"
        yield {"level": "error" if not report.complete else "warning", "message": _text(text)}
    for one in report.unresolved_projects:
        text = f"{one.project.arn}: role {one.role_arn} was not audited: {one.reason}"
        yield {"level": "warning", "message": _text(text)}
    for use in idle_uses(report):
        text = f"The exception for {idle_place(use)} is {idle_why(use)}"
        yield {"level": "warning", "message": _text(text)}
    for gone in report.resolved or ():
        text = f"Resolved since earlier audits: {gone.role_arn}: {gone.rule}: {gone.title}"
        yield {"level": "note", "message": _text(text)}
    for kind in missed(report):
        for known in kind.findings:
            text = f"Open, {kind.word}: {known.role_arn}: {known.rule}: {known.title}"
            yield {"level": "warning", "message": _text(text)}
    for words in limited_words(report):
        yield {"level": "warning", "message": _text(f"Limited audit: {words}")}
    for words in not_evaluated_words(report):
        yield {"level": "note", "message": _text(f"Not evaluated: {words}")}


def _text(text: str) -> dict[str, str]:
    return {"text": message(text)}
