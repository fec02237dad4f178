"""The one line about an audit that every message has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.notify.facts import count

if TYPE_CHECKING:
    from auditor.findings import Report
    from auditor.notify.interface import News


def headline(news: News) -> str:
    """Return one line that says it all, account and time left out.

    What is open as before stands before what wasn't found: not to look is no good news.
    """
    report = news.report
    exposed, undecided = report.count("exposed"), report.count("undetermined")
    proven = report.count("exposed", "proven")
    accepted = sum(1 for role in report.roles if role.accepted())
    if exposed:
        ways = [f"{proven} can mail real people through SES (proven)"] if proven else []
        if possible := exposed - proven:
            ways.append(f"{possible} may mail real people through SES (possible)")
        parts = [f"{count(exposed, 'exposed CodeBuild role')}: {', '.join(ways)}"]
    else:
        parts = [_none_exposed(report, others=bool(news.unseen))]
    if news.unseen:
        number = len(news.unseen)
        left = f"{count(number, 'finding')} {_is(number)} open as before, not looked at"
        parts.insert(1 if exposed or is_blind(report) else 0, left)
    if accepted:
        more = " more" if exposed else ""
        parts.append(f"{accepted}{more} {_is(accepted)} excepted")
    if undecided:
        parts.append(f"{count(undecided, 'role')} could not be decided")
    if not report.complete:
        parts.append(f"the audit is INCOMPLETE ({count(len(report.errors), 'error')})")
    return "; ".join(parts)


def _none_exposed(report: Report, *, others: bool) -> str:
    """Return that no role was found to be exposed, or that none was read."""
    if is_blind(report):
        return "No CodeBuild role was read"
    other = "other " if others else ""
    if any(role.accepted() for role in report.roles):
        found = f"No {other}CodeBuild role is exposed without an exception"
    else:
        found = f"No {other}exposed CodeBuild role was found"
    found = found if report.complete else f"{found} in what could be read"
    return f"n{found[1:]}" if others else found


def is_blind(report: Report) -> bool:
    """Tell whether an audit read no role at all: that none is exposed, it can't know."""
    return not report.complete and not report.roles


def _is(number: int) -> str:
    return "is" if number == 1 else "are"
