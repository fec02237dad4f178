"""Findings to AWS Security Hub: imported in batches, archived once they are over.

https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_BatchImportFindings.html
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from botocore.exceptions import BotoCoreError, ClientError

from auditor.errors import NotifyError
from auditor.notify.facts import clean, count

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from mypy_boto3_securityhub import SecurityHubClient

Found: TypeAlias = "Mapping[str, object]"
BATCH: Final = 100  # findings that one call imports
PAGE: Final = 100  # findings that one call returns
SHOWN: Final = 3  # refusals that an error repeats

GENERATOR: Final = "auditor/"
"""What the ids of the generators of our findings begin with."""


def report_to(
    client: SecurityHubClient,
    account_id: str,
    render: Callable[[Sequence[dict[str, Any]]], Sequence[Found]],
) -> str:
    """Import the findings of an audit, those that are over as archived; how many there were.

    :param render: given the hub's active findings of earlier audits, returns those to import, in
        the AWS Security Finding Format (``report.asff.asff_findings``). Each is at most 240 KB.
    :raises NotifyError: where the hub can't be asked or refuses findings; the rest are imported.
    """
    try:
        before = list(_active(client, account_id))
    except (BotoCoreError, ClientError) as error:
        raise NotifyError(
            f"securityhub:GetFindings: {clean(str(error), 500)}; {_ADVICE}"
        ) from error
    findings = render(before)
    refused: list[tuple[str, str]] = []
    for start in range(0, len(findings), BATCH):
        refused += _imported(client, findings[start : start + BATCH])
    if refused:
        kinds = Counter(why for _, why in refused)
        told = "; ".join(f"{why} ({number})" for why, number in kinds.most_common(SHOWN))
        names = ", ".join(clean(id_, 100) for id_, _ in refused[:SHOWN])
        raise NotifyError(
            f"Security Hub did not take {count(len(refused), 'finding')} of {len(findings)}"
            f" ({names}): {told}; {_ADVICE}"
        )
    return count(len(findings), "finding")


_ADVICE: Final = "check that Security Hub is enabled in the function's region"


def _active(client: SecurityHubClient, account_id: str) -> Iterator[dict[str, Any]]:
    """Yield the active findings of ours that the hub has of this account."""
    filters: Any = {
        "AwsAccountId": [{"Value": account_id, "Comparison": "EQUALS"}],
        "GeneratorId": [{"Value": GENERATOR, "Comparison": "PREFIX"}],
        "RecordState": [{"Value": "ACTIVE", "Comparison": "EQUALS"}],
    }
    pages = client.get_paginator("get_findings").paginate(
        Filters=filters, PaginationConfig={"PageSize": PAGE}
    )
    for page in pages:
        for one in page["Findings"]:
            found: dict[str, Any] = dict(one)
            # Looked at again: an imitation of the hub may not filter.
            ours = str(found.get("GeneratorId", "")).startswith(GENERATOR)
            if (
                ours
                and found.get("RecordState") == "ACTIVE"
                and found["AwsAccountId"] == account_id
            ):
                yield found


def _imported(client: SecurityHubClient, batch: Sequence[Found]) -> list[tuple[str, str]]:
    """Import a batch, and return (id, reason) of each finding that wasn't taken."""
    findings: Any = list(batch)
    try:
        answer = client.batch_import_findings(Findings=findings)
    except (BotoCoreError, ClientError) as error:
        why = clean(str(error), 500)
        return [(str(one["Id"]), why) for one in batch]
    return [
        (one["Id"], f"{clean(one['ErrorCode'], 60)}: {clean(one['ErrorMessage'])}")
        for one in answer.get("FailedFindings", ())
    ]
