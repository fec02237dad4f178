"""Security Hub in moto: imported in batches, archived once over, refusals told."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from auditor.errors import NotifyError
from auditor.notify import securityhub
from auditor.report.asff import asff_findings
from tests import examples
from tests.notify import told

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mypy_boto3_securityhub import SecurityHubClient

    from auditor.findings import Report

REGION = "eu-west-1"


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Iterator[SecurityHubClient]:
    """An enabled hub."""
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    with mock_aws():
        made = boto3.client("securityhub", region_name=REGION)
        made.enable_security_hub()
        yield made


def report_to(client: Any, report: Report) -> str:
    def render(before: Sequence[dict[str, Any]]) -> list[dict[str, object]]:
        return asff_findings(report, region=REGION, archived=before)

    return securityhub.report_to(client, report.account_id, render)


def states(client: SecurityHubClient) -> dict[str, str]:
    """Return the record state of each finding in the hub, by the end of its id."""
    pages = client.get_paginator("get_findings").paginate()
    return {
        one["Id"].rpartition("/")[2]: one["RecordState"]
        for page in pages
        for one in page["Findings"]
    }


def test_a_finding_stays_one_and_is_archived_once_it_is_over(client: SecurityHubClient) -> None:
    """Imported again it is the same finding; closed it is archived, and stays so when run again."""
    report_to(client, examples.report(examples.WEB))
    report_to(client, examples.report(examples.WEB))
    assert states(client) == {examples.OPEN.id: "ACTIVE", examples.BOUNCE.id: "ACTIVE"}

    closed = replace(examples.WEB, verdict="no_send", certainty=None, findings=())
    for _ in range(2):
        report_to(client, examples.report(closed))
        assert set(states(client).values()) == {"ARCHIVED"}

    report_to(client, examples.report(examples.WEB))
    assert set(states(client).values()) == {"ACTIVE"}


def test_an_incomplete_audit_archives_nothing(client: SecurityHubClient) -> None:
    """What may only be hidden stays active, and the gap is a finding itself."""
    report_to(client, examples.report(examples.WEB))
    report_to(client, examples.report(errors=examples.full().errors))
    found = states(client)
    assert found[examples.OPEN.id] == "ACTIVE"
    assert len(found) == 3


def test_others_findings_are_left_alone(client: SecurityHubClient) -> None:
    """Findings of other products and other accounts are never touched."""
    (ours,) = asff_findings(
        examples.report(replace(examples.WEB, findings=(examples.OPEN,))), region=REGION
    )
    other = {**ours, "Id": "guardduty/1", "GeneratorId": "guardduty"}
    elsewhere = {**ours, "Id": "auditor/999999999999/1", "AwsAccountId": "999999999999"}
    strangers: Any = [other, elsewhere]
    client.batch_import_findings(Findings=strangers)
    report_to(client, examples.clean())
    assert states(client)["1"] == "ACTIVE"


class Hub:
    """A hub that keeps the sizes of batches, and refuses what it is told to."""

    def __init__(self, refused: Sequence[str] = ()) -> None:
        self.batches: list[int] = []
        self.ids: list[str] = []
        self.refused = refused

    def get_paginator(self, _: str) -> Hub:
        """Return what pages."""
        return self

    def paginate(self, **_: object) -> list[dict[str, Any]]:
        """Return one page without findings."""
        return [{"Findings": []}]

    def batch_import_findings(self, Findings: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803 - boto3's
        """Take a batch."""
        self.batches.append(len(Findings))
        self.ids += [one["Id"] for one in Findings]
        bad = [one["Id"] for one in Findings if one["Id"].endswith(tuple(self.refused))]
        failed = [{"Id": i, "ErrorCode": "InvalidInput", "ErrorMessage": "no"} for i in bad]
        return {"FailedCount": len(bad), "SuccessCount": 0, "FailedFindings": failed}


@pytest.mark.parametrize("number", [1, 100, 101, 5_000])
def test_batches_of_a_hundred(number: int) -> None:
    """Each finding is imported once, a hundred a call at most."""
    hub = Hub()
    assert report_to(hub, told.many(number).report).startswith(f"{number} finding")
    assert max(hub.batches) <= 100
    assert len(hub.ids) == len(set(hub.ids)) == number


def test_refused_findings_are_told_and_cost_no_others() -> None:
    """The error counts and names what the hub didn't take; the batches behind it are sent."""
    hub = Hub(refused=(f"{3:016x}", f"{5:016x}"))
    with pytest.raises(NotifyError) as caught:
        report_to(hub, told.many(250).report)
    assert "did not take 2 findings of 250" in str(caught.value)
    assert "InvalidInput: no (2)" in str(caught.value)
    assert len(hub.ids) == 250


def test_a_batch_has_at_most_5_mb() -> None:
    """Long findings go in smaller batches: the hub takes 6 MB a call."""
    hub = Hub()
    long = [{"Id": str(n), "Description": "x" * 200_000} for n in range(100)]
    securityhub.report_to(hub, "123456789012", lambda _: long)  # type: ignore[arg-type]  # an imitation
    assert max(hub.batches) == 24
    assert hub.ids == [str(n) for n in range(100)]


def test_a_hub_that_throttles_is_asked_no_more() -> None:
    """Its tries exhausted once, the hub costs the run no more time; what it lacks is counted."""

    class Throttling(Hub):
        def batch_import_findings(self, Findings: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803 - boto3's
            if self.batches:
                error: Any = {"Error": {"Code": "TooManyRequestsException", "Message": "slow"}}
                self.batches.append(0)
                raise ClientError(error, "BatchImportFindings")
            return super().batch_import_findings(Findings)

    hub = Throttling()
    with pytest.raises(NotifyError, match=r"lacks 4900 findings of 5000: .*slow"):
        report_to(hub, told.many(5_000).report)
    assert hub.batches == [100, 0]


def test_without_time_left_the_hub_is_left_alone() -> None:
    """What isn't sent is said."""
    hub = Hub()
    left = iter([True, True, True, False])
    findings = [{"Id": str(n)} for n in range(300)]
    with pytest.raises(NotifyError, match=r"lacks 200 findings of 300: .*time is nearly over"):
        securityhub.report_to(
            hub,  # type: ignore[arg-type]  # an imitation
            "123456789012",
            lambda _: findings,
            in_time=lambda: next(left),
        )
    assert hub.batches == [100]


def test_a_hub_that_is_not_there(
    client: SecurityHubClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever AWS says is one clear line, with what to look at."""
    monkeypatch.setattr(client._request_signer, "_credentials", None)  # type: ignore[attr-defined]
    with pytest.raises(NotifyError, match="check that Security Hub is enabled") as caught:
        report_to(client, examples.full())
    assert str(caught.value).isprintable()
