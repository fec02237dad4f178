"""Reports with exceptions and a past, made by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from auditor.findings import Suppressed
from auditor.lasting import ExceptionUse, Life, Resolved, RoleException
from auditor.life import Known
from tests import examples

if TYPE_CHECKING:
    from auditor.findings import Finding, Report, RoleReport
    from auditor.lasting import LifeStatus

BEFORE = datetime(2026, 11, 1, 3, tzinfo=UTC)
COVER = RoleException(
    "codebuild-web", "*", "beta testers", "team-mail", date(2027, 1, 31), "e.yaml:2"
)
UNUSED = RoleException("codebuild-gone", "*", "moved", "team-old", date(2027, 2, 1), "e.yaml:7")
EXPIRED = RoleException("codebuild-past", "*", "trial", "team-try", date(2026, 11, 2), "e.yaml:12")


def covered() -> RoleReport:
    """Return a role that is exposed, and of which an exception covers all."""
    found = tuple(Suppressed(one, COVER) for one in examples.WEB.findings)
    return replace(examples.WEB, findings=(), suppressed=found)


def report() -> Report:
    """Return an audit with a covered role, a new finding, a reopened, a resolved and an unseen."""
    web = covered()
    excepted = tuple(
        one._replace(finding=_lived(one.finding, "suppressed")) for one in web.suppressed
    )
    batch = replace(
        examples.BATCH,
        findings=tuple(_lived(one, "new") for one in examples.BATCH.findings),
    )
    again = replace(
        examples.WEB,
        arn=examples.role_arn("codebuild-again"),
        name="codebuild-again",
        findings=tuple(
            replace(_lived(one, "reopened"), id=f"a{one.id}") for one in examples.WEB.findings
        ),
    )
    uses = (
        ExceptionUse(COVER, "used"),
        ExceptionUse(UNUSED, "unused"),
        ExceptionUse(EXPIRED, "expired"),
    )
    found = replace(
        examples.report(replace(web, suppressed=excepted), batch, again, examples.LINTER),
        exceptions=uses,
        resolved=(
            Resolved(
                "done", examples.role_arn("codebuild-closed"), "unrestricted-send", "ses:SendEmail",
                "high", "It was open", BEFORE, BEFORE, examples.NOW,
            ),
        ),
    )  # fmt: skip
    missed: Known = Known(
        "hidden", examples.role_arn("codebuild-hidden"), "unrestricted-send", "ses:SendEmail",
        "high", "It is out of sight", BEFORE, BEFORE, "open",
    )  # fmt: skip
    return replace(found, unseen=(missed,))


def _lived(finding: Finding, status: LifeStatus) -> Finding:
    return replace(finding, life=Life(status, BEFORE, examples.NOW))
