"""Reports made by hand: small, readable, one of each kind of thing a report can say."""

from __future__ import annotations

from datetime import UTC, datetime

from auditor.account import Failure, Project, UnresolvedProject
from auditor.findings import Closed, Finding, Limit, Report, RoleReport, StatementRef, Witness

NOW = datetime(2026, 11, 23, 3, tzinfo=UTC)
ACCOUNT = "123456789012"


def project(name: str, region: str = "eu-west-1") -> Project:
    return Project(name, region, f"arn:aws:codebuild:{region}:{ACCOUNT}:project/{name}")


def role_arn(name: str) -> str:
    return f"arn:aws:iam::{ACCOUNT}:role/service-role/{name}"


OPEN = Finding(
    id="5c1f0e9d",
    rule="unrestricted-send",
    severity="high",
    certainty="proven",
    title="The role may send mail to any address",
    witness=Witness(
        "ses:SendEmail",
        (f"arn:aws:ses:eu-west-1:{ACCOUNT}:identity/example.com",),
        {"ses:Recipients": ("someone@example.com",), "aws:RequestedRegion": "eu-west-1"},
    ),
    statements=(StatementRef("identity", "deploy", None, "inline", "Mail", 0, "Allow"),),
    remediation="Limit the recipients to the simulator: docs/rules/unrestricted-send.md",
)
BULK = Finding(
    id="77aa0b12",
    rule="uncheckable-action",
    severity="medium",
    certainty="possible",
    title="SendBulkEmail carries no recipients that a condition could check",
    witness=Witness(
        "ses:SendBulkEmail",
        (
            f"arn:aws:ses:eu-west-1:{ACCOUNT}:identity/example.com",
            f"arn:aws:ses:eu-west-1:{ACCOUNT}:template/welcome",
        ),
        {"aws:SourceIp": "203.0.113.7"},
    ),
    statements=(
        StatementRef(
            "identity",
            "ses-tests",
            f"arn:aws:iam::{ACCOUNT}:policy/ses-tests",
            "managed",
            None,
            2,
            "Allow",
        ),
        StatementRef("permissions-boundary", "edge", None, "boundary", None, 0, "Allow"),
    ),
    remediation="Deny ses:SendBulkEmail: docs/rules/uncheckable-action.md",
)
BOUNCE = Finding(
    id="09b3c4d5",
    rule="uncheckable-action",
    severity="low",
    certainty="proven",
    title="The role may send bounces for mail that was received",
    witness=Witness(
        "ses:SendBounce", (f"arn:aws:ses:eu-west-1:{ACCOUNT}:identity/example.com",), {}
    ),
    statements=(StatementRef("identity", "deploy", None, "inline", None, 1, "Allow"),),
    remediation="Leave ses:SendBounce out: docs/rules/uncheckable-action.md",
)
LINT = Finding(
    id="e1e2e3e4",
    rule="missing-null-check",
    severity="info",
    certainty="proven",
    title="ForAllValues holds when the key is absent; add a Null check",
    witness=None,
    statements=(StatementRef("identity", "mail-tests", None, "inline", "Mail", 0, "Allow"),),
    remediation='Add "Null": {"ses:Recipients": "false"}: docs/rules/missing-null-check.md',
)

WEB = RoleReport(
    role_arn("codebuild-web"),
    "codebuild-web",
    (project("web"),),
    "exposed",
    "proven",
    None,
    (OPEN, BOUNCE),
)
BATCH = RoleReport(
    role_arn("codebuild-batch-with-a-name-that-runs-to-the-limit-of-64-letters"),
    "codebuild-batch-with-a-name-that-runs-to-the-limit-of-64-letters",
    tuple(project(f"nightly-{n}", "us-east-1") for n in range(7)),
    "exposed",
    "possible",
    None,
    (BULK,),
)
ODD = RoleReport(
    role_arn("codebuild-odd"),
    "codebuild-odd",
    (project("odd"),),
    "undetermined",
    None,
    "inline policy legacy: Statement[0].Condition.StringLikes: IAM has no such operator",
    (),
)
TESTS = RoleReport(
    role_arn("codebuild-mail-tests"),
    "codebuild-mail-tests",
    (project("mail-tests"),),
    "simulator_only",
    None,
    None,
    (LINT,),
    closed=Closed("own_allows", (Limit("identity", None, LINT.statements[0]),)),
)
LINTER = RoleReport(
    role_arn("codebuild-lint"),
    "codebuild-lint",
    (),
    "no_send",
    None,
    None,
    (),
    closed=Closed("no_allow", ()),
)


def report(
    *roles: RoleReport,
    errors: tuple[Failure, ...] = (),
    not_evaluated: tuple[str, ...] = (),
    unresolved: tuple[UnresolvedProject, ...] = (),
) -> Report:
    """A report on these roles; errors make it incomplete."""
    ordered = sorted(roles, key=lambda role: role.arn)
    return Report(NOW, ACCOUNT, not errors, ordered, not_evaluated, errors, unresolved)


def full() -> Report:
    """One of everything."""
    return report(
        WEB,
        BATCH,
        ODD,
        TESTS,
        LINTER,
        errors=(
            Failure(
                "codebuild:ListProjects ap-south-1",
                "AccessDeniedException: User: arn:aws:sts::123456789012:assumed-role/auditor/scan "
                "is not authorized to perform: codebuild:ListProjects",
            ),
        ),
        not_evaluated=("scps", "identity-policies"),
        unresolved=(
            UnresolvedProject(
                project("orphan"), role_arn("deleted"), "the account has no such role"
            ),
        ),
    )


def clean() -> Report:
    """Nothing to tell."""
    return report(TESTS, LINTER)
