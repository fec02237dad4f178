"""Findings to AWS Security Hub: imported in batches, archived once they are over.

https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_BatchImportFindings.html
"""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from botocore.exceptions import ClientError

from auditor.errors import NotifyError
from auditor.notify.facts import clean, count
from auditor.notify.unanswered import AWS_ERRORS
from auditor.text import words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from mypy_boto3_securityhub import SecurityHubClient

Found: TypeAlias = "Mapping[str, object]"
BATCH: Final = 100  # findings that one call imports
BATCH_BYTES: Final = 5_000_000
"""Of the findings of one call, below the 6 MB that the hub takes:
https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_BatchImportFindings.html"""
PAGE: Final = 100  # findings that one call returns
SHOWN: Final = 3  # refusals that an error repeats

GENERATOR: Final = "auditor/"
"""What the ids of the generators of our findings begin with."""


def report_to(
    client: SecurityHubClient,
    account_id: str,
    render: Callable[[Sequence[dict[str, Any]]], Sequence[Found]],
    *,
    in_time: Callable[[], bool] = lambda: True,
) -> str:
    """Import the findings of an audit, those that are over as archived; how many there were.

    :param render: given the hub's active findings of earlier audits, returns those to import, in
        the AWS Security Finding Format (``report.asff.asff_findings``). Each is at most 240 KB.
    :param in_time: asked before each call, tells whether there is time for it.
    :raises NotifyError: where the hub can't be asked or refuses findings; the rest are imported.
        A hub that doesn't answer, throttles to the end, or has no time left is asked no more.
    """
    try:
        before = list(_active(client, account_id, in_time))
    except AWS_ERRORS as error:
        raise NotifyError(f"securityhub:GetFindings: {words(error)}; {_ADVICE}") from error
    findings = render(before)
    refused: list[tuple[str, str]] = []
    sent, stopped = 0, ""
    for batch in _batches(findings):
        if not in_time():
            stopped = _NO_TIME
            break
        try:
            refused += _imported(client, batch)
        except AWS_ERRORS as error:
            stopped = words(error)
            break
        sent += len(batch)
    problems = []
    if refused:
        kinds = Counter(why for _, why in refused)
        told = "; ".join(f"{why} ({number})" for why, number in kinds.most_common(SHOWN))
        names = ", ".join(clean(id_, 100) for id_, _ in refused[:SHOWN])
        problems.append(
            f"did not take {count(len(refused), 'finding')} of {len(findings)} ({names}): {told}"
        )
    if stopped:
        missing = count(len(findings) - sent, "finding")
        problems.append(f"was sent no more, so it lacks {missing} of {len(findings)}: {stopped}")
    if problems:
        raise NotifyError(f"Security Hub {'; it '.join(problems)}; {_ADVICE}")
    return count(len(findings), "finding")


_ADVICE: Final = "check that Security Hub is enabled in the function's region"
_NO_TIME: Final = "the run's time is nearly over; the next run sends them"


def _batches(findings: Sequence[Found]) -> Iterator[list[Found]]:
    batch: list[Found] = []
    room = BATCH_BYTES
    for one in findings:
        size = len(json.dumps(one, default=str)) + 1
        if batch and (len(batch) == BATCH or size > room):
            yield batch
            batch, room = [], BATCH_BYTES
        batch.append(one)
        room -= size
    if batch:
        yield batch


def _active(
    client: SecurityHubClient, account_id: str, in_time: Callable[[], bool]
) -> Iterator[dict[str, Any]]:
    """Yield the active findings of ours that the hub has of this account."""
    filters: Any = {
        "AwsAccountId": [{"Value": account_id, "Comparison": "EQUALS"}],
        "GeneratorId": [{"Value": GENERATOR, "Comparison": "PREFIX"}],
        "RecordState": [{"Value": "ACTIVE", "Comparison": "EQUALS"}],
    }
    pages = iter(
        client.get_paginator("get_findings").paginate(
            Filters=filters, PaginationConfig={"PageSize": PAGE}
        )
    )
    while True:
        if not in_time():
            raise NotifyError(f"Security Hub was not asked to the end: {_NO_TIME}")
        page = next(pages, None)
        if page is None:
            return
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
    """Import a batch, and return (id, reason) of each finding that wasn't taken.

    Raises BotoCoreError or ClientError where the next batch would fare no better.
    """
    findings: Any = list(batch)
    try:
        answer = client.batch_import_findings(Findings=findings)
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") != "InvalidInputException":
            raise
        why = words(error)  # about this batch alone
        return [(str(one["Id"]), why) for one in batch]
    return [
        (one["Id"], words(f"{one['ErrorCode']}: {one['ErrorMessage']}"))
        for one in answer.get("FailedFindings", ())
    ]
