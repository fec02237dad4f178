"""SES in every region: its sandbox, its identities and their policies; and what goes wrong."""

from __future__ import annotations

import json
import threading
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ReadTimeoutError

from auditor.account import Identity, PolicyText, SesRegion
from auditor.collect import ses
from auditor.collect.live import collect_account
from tests.collect import gaps
from tests.collect.test_live import REGIONS, list_regions
from tests.collect.values import ACCOUNT
from tests.collect.wire import Request, Wire, answer, fail, ok, refuse

if TYPE_CHECKING:
    import boto3

    from auditor.account import Account

GET, LIST, POLICIES = ses.ACCOUNT, ses.LIST, ses.POLICIES
DENIED = refuse("AccessDeniedException", "not authorized", 403)
GRANT = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:role/web"},
            "Action": "ses:SendEmail",
            "Resource": "*",
        }
    ],
}


def collect(session: boto3.Session) -> Account:
    return collect_account(session, regions=["us-east-1"])


def arn(name: str, region: str = "us-east-1") -> str:
    return f"arn:aws:ses:{region}:{ACCOUNT}:identity/{name}"


def add_identity(session: boto3.Session, name: str, region: str = "us-east-1") -> Any:
    client: Any = session.client("sesv2", region_name=region)
    client.create_email_identity(EmailIdentity=name)
    return client


def listed(*entries: dict[str, Any]) -> Any:
    return lambda _: ok({"EmailIdentities": list(entries)})


def entry(name: str, **more: Any) -> dict[str, Any]:
    return {"IdentityName": name, "IdentityType": "DOMAIN", "SendingEnabled": True, **more}


def test_identities_and_their_policies(session: boto3.Session) -> None:
    """Each region's identities by name, with their policies as the text that SES keeps."""
    client = add_identity(session, "example.com")
    add_identity(session, "a@example.com")
    add_identity(session, "example.org", "eu-west-1")
    for name in ("second", "first"):
        client.create_email_identity_policy(
            EmailIdentity="example.com", PolicyName=name, Policy=json.dumps(GRANT)
        )
    account = collect_account(session, regions=REGIONS)
    assert (account.not_evaluated, account.failures) == ((), ())
    europe, america = account.ses
    assert europe == SesRegion(
        "eu-west-1",
        production_access=True,
        sending_enabled=True,
        identities=(Identity("example.org", arn("example.org", "eu-west-1"), True, ()),),
    )
    address, domain = america.identities
    assert address == Identity("a@example.com", arn("a@example.com"), verified=True, policies=())
    assert domain.name == "example.com"
    assert [(t.name, t.arn, t.kind, t.missing) for t in domain.policies] == [
        (name, arn("example.com"), "identity-policy", None) for name in ("first", "second")
    ]
    assert [json.loads(str(t.document)) for t in domain.policies] == [GRANT, GRANT]
    assert account.api_calls[POLICIES] == 3


def test_the_sandbox(session: boto3.Session) -> None:
    """A region in the sandbox is told from one that is out of it."""
    gaps.fill(production=False)
    (region,) = collect(session).ses
    assert (region.production_access, region.sending_enabled) == (False, True)


@pytest.mark.parametrize(
    ("more", "verified", "asked"),
    [
        ({"VerificationStatus": "SUCCESS"}, True, True),
        ({"VerificationStatus": "SUCCESS", "SendingEnabled": False}, True, True),
        ({}, True, True),
        ({"SendingEnabled": False}, False, False),
        ({"VerificationStatus": "PENDING", "SendingEnabled": False}, False, False),
        ({"VerificationStatus": "TEMPORARY_FAILURE"}, False, True),
    ],
)
def test_verified(
    session: boto3.Session, wire: Wire, more: dict[str, Any], verified: bool, asked: bool
) -> None:
    """By its status, or by SendingEnabled in older answers; who can't send has no policies."""
    wire.on(LIST, listed(entry("example.com", **more)))
    wire.on(POLICIES, lambda _: ok({"Policies": {}}))
    account = collect(session)
    (region,) = account.ses
    assert region.identities == (Identity("example.com", arn("example.com"), verified, ()),)
    assert wire.tries(POLICIES) == asked
    assert account.failures == ()


def test_thousands_of_identities(session: boto3.Session, wire: Wire) -> None:
    """They are listed a thousand a page, and read one by one."""
    names = [f"{number:04}.example.com" for number in range(2_300)]

    def page(request: Request) -> Any:
        assert request.fields["PageSize"] == 1000
        start = int(request.fields.get("NextToken", 0))
        more = {"NextToken": str(start + 1000)} if start + 1000 < len(names) else {}
        return ok({"EmailIdentities": [entry(n) for n in names[start : start + 1000]], **more})

    wire.on(LIST, page)
    wire.on(POLICIES, lambda r: ok({"Policies": {"p": json.dumps(r.fields["EmailIdentity"])}}))
    account = collect(session)
    (region,) = account.ses
    assert [one.name for one in region.identities] == names
    assert all(one.policies[0].document == json.dumps(one.name) for one in region.identities)
    assert (account.api_calls[LIST], account.api_calls[POLICIES]) == (3, 2_300)


def test_an_identity_deleted_meanwhile(session: boto3.Session, wire: Wire) -> None:
    """One that is gone when it is read is no loss."""
    wire.on(LIST, listed(entry("gone.example"), entry("here.example")))
    gone = refuse("NotFoundException", "gone", 404)
    wire.on(
        POLICIES,
        lambda r: gone(r) if "gone" in r.fields["EmailIdentity"] else ok({"Policies": {}}),
    )
    account = collect(session)
    assert [one.name for one in account.ses[0].identities] == ["here.example"]
    assert account.failures == ()


def test_one_region_denied(session: boto3.Session, wire: Wire) -> None:
    """Each call that failed there stands once in the failures; the other region is read."""
    add_identity(session, "example.com", "eu-west-1")
    for call in (GET, LIST):
        wire.on(call, DENIED, "us-east-1")
    account = collect_account(session, regions=REGIONS)
    why = "AccessDeniedException: not authorized"
    assert account.failures == ((f"{GET} us-east-1", why), (f"{LIST} us-east-1", why))
    assert account.not_evaluated == ()
    europe, america = account.ses
    assert [one.name for one in europe.identities] == ["example.com"]
    assert america == SesRegion("us-east-1", None, None, ())


def test_denied_everywhere(session: boto3.Session, wire: Wire) -> None:
    """Thirty regions' denials are one line a call, and identity policies weren't evaluated."""
    for call in (GET, LIST):
        wire.on(call, DENIED)
    account = collect_account(session)
    why = "AccessDeniedException: not authorized"
    assert account.failures == ((f"{GET} (every region)", why), (f"{LIST} (every region)", why))
    assert account.not_evaluated == ("identity-policies",)


def test_policies_of_one_identity_denied(session: boto3.Session, wire: Wire) -> None:
    """What couldn't be read is missing out loud, once in the failures; the rest is read."""
    names = [f"{letter}.example" for letter in "abcdefghij"]
    wire.on(LIST, listed(*map(entry, names)))
    wire.on(
        POLICIES,
        lambda r: ok({"Policies": {}}) if r.fields["EmailIdentity"][0] > "c" else DENIED(r),
    )
    account = collect(session)
    why = "AccessDeniedException: not authorized"
    assert account.failures == (
        (f"{POLICIES} us-east-1", f"{why} (3 of 10 identities weren't read)"),
    )
    assert account.not_evaluated == ()
    identities = account.ses[0].identities
    assert [[text.missing for text in one.policies] for one in identities] == [[why]] * 3 + [[]] * 7
    (text,) = identities[0].policies
    assert (text.arn, text.kind, text.document) == (arn("a.example"), "identity-policy", None)


def test_policies_denied_altogether(session: boto3.Session, wire: Wire) -> None:
    """A few denials are enough to know; then nothing is half-known, and not_evaluated says so."""
    wire.on(LIST, listed(*(entry(f"{number}.example") for number in range(1_000))))
    wire.on(POLICIES, DENIED)
    account = collect(session)
    assert wire.tries(POLICIES) == 5
    assert account.not_evaluated == ("identity-policies",)
    (failure,) = account.failures
    assert failure.where == f"{POLICIES} us-east-1"
    assert failure.message.endswith("(1,000 of 1,000 identities weren't read)")
    assert {one.policies for one in account.ses[0].identities} == {()}


def test_throttled_for_a_while(
    session: boto3.Session, wire: Wire, waits: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once SES asks to slow down, the pace is kept, so that the tries never run out."""
    slow = refuse("TooManyRequestsException", "slow down", 429)
    seen: list[str] = []

    class Clock(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            seen.append("waited")
            assert timeout == ses.PACE
            return False

    monkeypatch.setattr("auditor.collect.live.threading", SimpleNamespace(Event=Clock))
    names = [f"{number:03}.example" for number in range(300)]
    wire.on(LIST, listed(*map(entry, names)))

    def answered(request: Request) -> Any:
        # one call a second: whoever hasn't waited since the last answer is refused, as AWS does
        if seen and seen[-1] == "answered":
            seen.append("refused")
            return slow(request)
        seen.append("answered")
        return ok({"Policies": {}})

    wire.on(POLICIES, answered)
    account = collect(session)
    assert account.failures == ()
    assert len(account.ses[0].identities) == 300
    assert len(waits) == 1
    assert seen.count("waited") == 298


def test_throttled_past_every_retry(
    session: boto3.Session, wire: Wire, waits: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One identity that isn't answered for is a failure, and the next is asked about."""
    monkeypatch.setattr(ses, "PACE", 0)
    slow = refuse("TooManyRequestsException", "slow down", 429)
    wire.on(LIST, listed(entry("a.example"), entry("b.example")))
    wire.on(
        POLICIES,
        lambda r: slow(r) if r.fields["EmailIdentity"][0] == "a" else ok({"Policies": {}}),
    )
    account = collect(session)
    why = "TooManyRequestsException: slow down (1 of 2 identities weren't read)"
    assert account.failures == ((f"{POLICIES} us-east-1", why),)
    assert len(waits) == 7


@pytest.mark.parametrize("call", [GET, LIST])
def test_read_timeout(session: boto3.Session, wire: Wire, waits: list[float], call: str) -> None:
    """No answer in time is a failure that names call and region."""
    wire.on(call, fail(ReadTimeoutError(endpoint_url="https://email/")), "us-east-1")
    account = collect_account(session, regions=REGIONS)
    assert [failure.where for failure in account.failures] == [f"{call} us-east-1"]
    assert len(waits) == 7


def test_the_second_page_fails(session: boto3.Session, wire: Wire) -> None:
    """Identities listed before are read, and the failure says that there are more."""
    wire.on(
        LIST,
        lambda r: (
            DENIED(r)
            if "NextToken" in r.fields
            else ok({"EmailIdentities": [entry("a.example")], "NextToken": "2"})
        ),
    )
    wire.on(POLICIES, lambda _: ok({"Policies": {}}))
    account = collect(session)
    assert [one.name for one in account.ses[0].identities] == ["a.example"]
    assert [failure.where for failure in account.failures] == [f"{LIST} us-east-1"]


def test_a_page_that_follows_itself(session: boto3.Session, wire: Wire) -> None:
    """An answer that names the same next page for ever ends in a failure."""
    wire.on(LIST, lambda _: ok({"EmailIdentities": [], "NextToken": "2"}))
    (failure,) = collect(session).failures
    assert failure == (f"{LIST} us-east-1", "AWS names the same next page again and again")


@pytest.mark.parametrize("page", ["<html>sign in to the wifi</html>", "", "{}", "[]", "5", "null"])
@pytest.mark.parametrize("call", [GET, LIST, POLICIES])
def test_something_else_answers(
    session: boto3.Session,
    wire: Wire,
    waits: list[float],
    monkeypatch: pytest.MonkeyPatch,
    call: str,
    page: str,
) -> None:
    """A proxy's page never passes for an answer without identities or policies."""
    monkeypatch.setattr(ses, "PACE", 0)
    add_identity(session, "example.com")
    wire.on(call, lambda _: answer(200, page, {}))
    account = collect(session)
    assert [failure.where for failure in account.failures] == [f"{call} us-east-1"]
    assert account.failures[0].message.isprintable()
    assert account.not_evaluated == (() if call == GET else ("identity-policies",))
    assert len(waits) in (0, 7)


def test_every_usable_region_is_asked(session: boto3.Session, wire: Wire) -> None:
    """SES has regions that CodeBuild lacks; one that isn't enabled is excused, and left out."""
    statuses = dict.fromkeys(REGIONS, "ENABLED_BY_DEFAULT")
    statuses |= {"ca-west-1": "ENABLED", "me-south-1": "DISABLED", "il-central-1": "DISABLING"}
    wire.on("account:ListRegions", lambda _: list_regions(statuses))
    for call in ("codebuild:ListProjects", GET, LIST):
        wire.on(call, refuse("UnrecognizedClientException"), "il-central-1")
    add_identity(session, "example.com", "ca-west-1")
    account = collect_account(session)
    assert account.failures == ()
    found = {one.region: one.identities for one in account.ses}
    assert [one.name for one in found["ca-west-1"]] == ["example.com"]
    assert "ca-west-1" not in session.get_available_regions("codebuild")
    assert not {"me-south-1", "il-central-1"} & found.keys()
    assert wire.tries(GET, "me-south-1") == 0
    assert list(found) == sorted(found)


def test_regions_asked_for_hold_for_ses_too(session: boto3.Session, wire: Wire) -> None:
    """``--region`` narrows where identities are looked for."""
    collect_account(session, regions=["eu-west-1"])
    assert {r.region for r in wire.seen if r.call in (GET, LIST)} == {"eu-west-1"}


def test_reading_stops_when_interrupted(session: boto3.Session, wire: Wire) -> None:
    """A person who interrupts doesn't wait for a thousand identities."""
    wire.on(LIST, listed(*(entry(f"{number}.example") for number in range(1_000))))

    def interrupt(_: Request) -> Any:
        raise KeyboardInterrupt

    wire.on("iam:GetAccountAuthorizationDetails", interrupt)

    def slowly(_: Request) -> Any:
        time.sleep(0.02)  # all of them would take seconds, and the interrupt comes well before
        return ok({"Policies": {}})

    wire.on(POLICIES, slowly)
    with pytest.raises(KeyboardInterrupt):
        collect(session)
    assert wire.tries(POLICIES) < 1_000


def test_policy_names_are_kept_as_they_are(session: boto3.Session, wire: Wire) -> None:
    """Whatever SES calls a policy and says in it is carried over, unread."""
    wire.on(LIST, listed(entry("a.example")))
    wire.on(POLICIES, lambda _: ok({"Policies": {"b\u202e": "{not json", "": ""}}))
    (identity,) = collect(session).ses[0].identities
    kind = "identity-policy"
    assert [(t.name, t.kind, t.document) for t in identity.policies] == [
        ("", kind, ""),
        ("b\u202e", kind, "{not json"),
    ]
    assert all(isinstance(text, PolicyText) for text in identity.policies)
