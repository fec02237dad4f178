"""A report's witnesses, put to AWS's own policy simulator.

https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html
The simulator reads a role's policies, its boundary and the SCPs itself. It doesn't look at the
policies of resources for roles, and knows no more of a request than what it is told.
"""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from auditor.collect.clients import AWS_ERRORS, Clients, describe, pages_of, understood
from auditor.collect.regions import home_region
from auditor.findings import Confirmation
from auditor.text import one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    import boto3
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_iam.literals import ContextKeyTypeEnumType
    from mypy_boto3_iam.type_defs import ContextEntryTypeDef

    from auditor.findings import Finding, Report, RoleReport, Witness

_THREADS: Final = 4  # IAM throttles an account soon; standard retries wait for the rest
_WORST: Final = ("explicitDeny", "implicitDeny", "allowed")
_TYPES: Final[Mapping[str, ContextKeyTypeEnumType]] = {
    "ses:recipients": "stringList",
    "aws:sourceip": "ip",
    "aws:vpcsourceip": "ip",
    "aws:currenttime": "date",
    "aws:tokenissuetime": "date",
    "aws:epochtime": "numeric",
    "aws:multifactorauthage": "numeric",
    "aws:multifactorauthpresent": "boolean",
    "aws:principalisawsservice": "boolean",
    "aws:securetransport": "boolean",
    "aws:viaawsservice": "boolean",
}
"""Types of context keys that aren't plain text ("AWS global condition context keys"):
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html"""


class _Said(NamedTuple):
    """What the simulator says: the worst decision of all resources, and what went into it."""

    decision: str
    organization: bool | None
    boundary: bool | None
    missing: tuple[str, ...]


def confirm(
    session: boto3.Session, report: Report, *, progress: Callable[[str], None] | None = None
) -> Report:
    """Return the report with the simulator's answer on every witness of every exposed role.

    A question that fails is an answer too (``unanswered``, with the reason): it never costs the
    report.
    """
    asked = [
        (role, finding)
        for role in report.roles
        if role.verdict == "exposed"
        for finding in role.findings
        if finding.witness is not None
    ]
    if not asked:
        return report
    clients = Clients(session)
    client = clients.iam(home_region(session, asked[0][0].arn.split(":")[1]))
    stop = threading.Event()
    answers: dict[tuple[str, str], Confirmation] = {}
    pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="simulate")
    try:
        jobs = [pool.submit(_ask, client, role, finding, stop) for role, finding in asked]
        for number, ((role, finding), job) in enumerate(zip(asked, jobs, strict=True), 1):
            answers[role.arn, finding.id] = job.result()
            if progress is not None:
                progress(f"policy simulator: {number:,} of {len(jobs):,} witnesses asked about")
    finally:
        stop.set()
        pool.shutdown(cancel_futures=True)
    roles = [
        replace(
            role,
            findings=tuple(
                replace(finding, confirmation=answers.get((role.arn, finding.id)))
                for finding in role.findings
            ),
        )
        for role in report.roles
    ]
    calls = Counter(dict(report.api_calls)) + clients.calls
    return replace(report, roles=roles, api_calls=dict(sorted(calls.items())))


def _ask(
    client: IAMClient, role: RoleReport, finding: Finding, stop: threading.Event
) -> Confirmation:
    witness = finding.witness
    if witness is None or stop.is_set():
        return Confirmation("unanswered", None, "not asked")
    if finding.rule == "assumable-sender":
        return Confirmation("unanswered", None, "the request is another role's, so not asked here")
    try:
        said = _simulated(client, role.arn, witness)
    except AWS_ERRORS as error:
        return Confirmation("unanswered", None, describe(error))
    if said is None:
        return Confirmation(
            "unanswered", None, "AWS's answer doesn't cover each resource of the request"
        )
    if said.decision == "allowed":
        return Confirmation("agrees", said.decision, "AWS's policy simulator allows it too")
    return Confirmation("disagrees", said.decision, _why(said, finding))


def _simulated(client: IAMClient, arn: str, witness: Witness) -> _Said | None:
    """Ask, and return what all pages say together; None where a resource has no answer."""
    pages = client.get_paginator("simulate_principal_policy").paginate(
        PolicySourceArn=arn,
        ActionNames=[witness.action],
        ResourceArns=list(witness.resources),
        ContextEntries=[_entry(key, value) for key, value in witness.context.items()],
    )
    results = [result for page in pages_of(pages) for result in page.get("EvaluationResults", ())]
    return understood(lambda: _together(results, witness.resources))


def _entry(key: str, value: str | tuple[str, ...]) -> ContextEntryTypeDef:
    kind: ContextKeyTypeEnumType = "stringList" if isinstance(value, tuple) else "string"
    values = [value] if isinstance(value, str) else list(value)
    return {
        "ContextKeyName": key,
        "ContextKeyType": _TYPES.get(key.lower(), kind),
        "ContextKeyValues": values,
    }


def _together(results: Iterable[Any], resources: tuple[str, ...]) -> _Said | None:
    """Put the results for each resource together.

    They stand under ``ResourceSpecificResults``, or, where AWS gives none, each resource has a
    result of its own.
    """
    decisions: dict[str, str] = {}
    details: list[Mapping[str, Any]] = []
    for result in results:
        specific = result.get("ResourceSpecificResults") or []
        details += [result, *specific]
        for one in specific:
            decisions[one["EvalResourceName"]] = one["EvalResourceDecision"]
        if not specific:
            decisions[result.get("EvalResourceName", "*")] = result["EvalDecision"]
    if not decisions.keys() >= set(resources) and not len(decisions) == len(resources) == 1:
        return None
    flags = [
        _flag(details, "OrganizationsDecisionDetail", "AllowedByOrganizations"),
        _flag(details, "PermissionsBoundaryDecisionDetail", "AllowedByPermissionsBoundary"),
    ]
    missing = dict.fromkeys(key for one in details for key in one.get("MissingContextValues", ()))
    worst = min(decisions.values(), key=lambda word: _WORST.index(word) if word in _WORST else -1)
    return _Said(worst, flags[0], flags[1], tuple(missing))


def _flag(details: list[Mapping[str, Any]], name: str, inner: str) -> bool | None:
    """Return False if any detail says so, True if one says so, None if none is there."""
    found = [one[name].get(inner) for one in details if one.get(name)]
    known = [flag for flag in found if flag is not None]
    return all(known) if known else None


def _why(said: _Said, finding: Finding) -> str:
    """Say what the simulator's refusal rests on, as far as it tells."""
    told = []
    if said.organization is False:
        told.append("a service control policy stops it")
    if said.boundary is False:
        told.append("the permissions boundary doesn't allow it")
    if said.missing:
        told.append(f"it wasn't told {', '.join(said.missing)}, which some policy asks about")
    if any(one.layer == "identity-policy" for one in finding.statements):
        told.append("it doesn't look at policies of SES identities, on which this witness rests")
    if finding.certainty == "possible":
        told.append("the witness was only possible: it needs AWS's most generous reading")
    rest = f": {'; '.join(told)}" if told else ", and doesn't say why"
    return one_line(f"AWS's policy simulator answers {said.decision}{rest}")
