"""What formats for machines say of each rule: a title, what to do, how bad it gets, AWS's page.

Beside the catalogue's rules stand three of the report's own, so that what could not be audited is
a result like any other. A format that showed findings alone would look safe where nobody looked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from auditor.rules.catalogue import RULES

if TYPE_CHECKING:
    from auditor.findings import Severity

UNDETERMINED: Final = "undetermined-role"
UNAUDITED_PROJECT: Final = "unaudited-project"
INCOMPLETE: Final = "incomplete-audit"


class Told(NamedTuple):
    """A rule as a machine is told of it.

    ``severity`` is the worst that a finding of the rule can have. ``url`` is AWS's page on the
    matter: the auditor's own page, ``page``, has no address before somebody publishes it.
    """

    id: str
    title: str
    remedy: str
    severity: Severity
    url: str
    page: str


_IAM: Final = "https://docs.aws.amazon.com/IAM/latest/UserGuide"
_SES: Final = "https://docs.aws.amazon.com/ses/latest/dg"
_SET_OPERATORS: Final = (
    f"{_IAM}/reference_policies_condition-single-vs-multi-valued-context-keys.html"
)

# The worst severity and a source of each rule's page under docs/rules/.
_CATALOGUE: Final[dict[str, tuple[Severity, str]]] = {
    "unrestricted-send": ("high", f"{_SES}/control-user-access.html"),
    "mixed-recipients": ("high", _SET_OPERATORS),
    "loose-recipient-pattern": ("high", f"{_SES}/send-an-email-from-console.html"),
    "other-recipients-allowed": (
        "high",
        f"{_IAM}/reference_policies_condition-logic-multiple-context-keys-or-values.html",
    ),
    "inverted-condition": ("high", f"{_IAM}/reference_policies_elements_condition_operators.html"),
    "uncheckable-action": (
        "medium",
        "https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonses.html",
    ),
    "undefined-condition": ("medium", _SET_OPERATORS),
    "identity-policy-grant": ("high", f"{_SES}/sending-authorization-policies.html"),
    "assumable-sender": (
        "high",
        "https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html",
    ),
    "missing-null-check": ("info", _SET_OPERATORS),
    "self-granting": ("low", f"{_IAM}/access_policies_boundaries.html"),
}


def _from_catalogue(rule: str, severity: Severity, url: str) -> Told:
    known = RULES[rule]
    return Told(
        id=rule,
        title=known.title.format(role="The role", action="a send action"),
        remedy=f"{known.remedy.format()}.",
        severity=severity,
        url=url,
        page=known.page,
    )


_OWN: Final = (
    Told(
        UNDETERMINED,
        "Whether the role can mail real people could not be decided. It must not count as safe.",
        "Correct what the reason names, then scan again.",
        "medium",
        f"{_IAM}/reference_policies_grammar.html",
        "docs/how-it-decides.md",
    ),
    Told(
        UNAUDITED_PROJECT,
        "The role of a CodeBuild project was not audited.",
        "Give the project a role of the account, or audit the account of its role.",
        "low",
        "https://docs.aws.amazon.com/codebuild/latest/userguide/setting-up-service-role.html",
        "docs/how-it-decides.md",
    ),
    Told(
        INCOMPLETE,
        "The audit is incomplete: roles or projects may be missing from this report.",
        "Allow or repair the reads that failed, then scan again.",
        "medium",
        f"{_IAM}/troubleshoot_access-denied.html",
        "docs/permissions.md",
    ),
)

RULEBOOK: Final[dict[str, Told]] = {
    told.id: told
    for told in (
        *(_from_catalogue(rule, *about) for rule, about in _CATALOGUE.items()),
        *_OWN,
    )
}
