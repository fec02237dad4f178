"""What AWS refuses, or leaves unanswered: said for each role, and never taken for done."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import EndpointConnectionError, ReadTimeoutError

from auditor.collect.single import RoleReader
from auditor.remediate.journal_file import FileJournal
from auditor.remediate.run import WAITS
from tests.collect.wire import Request, answer, fail, refuse
from tests.remediate.apply_fate import Gate, gated
from tests.remediate.apply_world import GUARD, World, outcomes, remembered, steps

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from botocore.awsrequest import AWSResponse

ATTACH = "iam:AttachRolePolicy"
URL = "https://iam.amazonaws.com/"


@pytest.fixture
def wire() -> Gate:
    return Gate()


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch, wire: Gate) -> Iterator[World]:
    with gated(monkeypatch, wire, ("a", "b", "c"), "ses:SendEmail") as made:
        yield made


@pytest.fixture
def journal(tmp_path: Path) -> FileJournal:
    return FileJournal(tmp_path / "j")


def of(
    name: str, rule: Callable[[Request], AWSResponse | None]
) -> Callable[..., AWSResponse | None]:
    """The rule, for one role alone."""
    return lambda request: rule(request) if request.fields.get("RoleName") == name else None


@pytest.mark.parametrize(
    ("code", "status", "advice"),
    [
        ("AccessDenied", 403, "these credentials may not do it"),
        ("LimitExceeded", 409, "the role is at IAM's quota"),
        ("UnmodifiableEntity", 400, "an AWS service owns this role"),
        ("ConcurrentModification", 409, "somebody else is changing it"),
        ("PolicyNotAttachable", 400, "AWS doesn't let this policy be attached"),
        ("SomethingNew", 400, ""),
    ],
)
def test_a_refusal(
    aws: World, wire: Gate, journal: FileJournal, code: str, status: int, advice: str
) -> None:
    """A refused role says AWS's words and what to do, is asked once, and the others are done.

    The errors are those of
    https://docs.aws.amazon.com/IAM/latest/APIReference/API_AttachRolePolicy.html
    """
    plan = aws.plan("a", "b", "c")
    wire.on(ATTACH, of("b", refuse(code, "no\u202e\nmore AKIAIOSFODNN7EXAMPLE", status)))
    results = aws.apply(plan, journal)
    assert outcomes(results) == {"a": "attached", "b": "refused", "c": "attached"}
    assert results[1].message.startswith(rf"{code}: no\u202e more (access key hidden)")
    assert advice in results[1].message
    assert results[1].standing is None
    assert steps(journal, plan, "b") == ["attaching", "failed"]
    assert aws.on("b") == ([], ["mail"])
    assert wire.tries(ATTACH) == 3
    wire.rules.clear()
    assert outcomes(aws.apply(plan, journal)) == {"a": "already", "b": "attached", "c": "already"}


def test_denied_halfway(aws: World, wire: Gate, journal: FileJournal) -> None:
    """Where five roles in a row are refused the run ends: each says if it was tried, and why."""
    names = ["a", "b", "c", *"defghi"]
    for name in names[3:]:
        aws.role(name, "ses:SendEmail")
    plan = aws.plan(*names)
    wire.on(
        ATTACH,
        lambda request: (
            refuse("AccessDenied", "no", 403)(request) if request.fields["RoleName"] > "b" else None
        ),
    )
    results = aws.apply(plan, journal)
    assert outcomes(results) == {
        **dict.fromkeys("ab", "attached"),
        **dict.fromkeys("cdefg", "refused"),
        **dict.fromkeys("hi", "stopped"),
    }
    assert results[-1].message == "AWS refused 5 roles in a row, AccessDenied at last"
    assert [one.standing is not None for one in results] == [True] * 2 + [False] * 7


def test_a_refusal_uses_nothing_up(aws: World, wire: Gate, journal: FileJournal) -> None:
    """A refused or throttled role isn't a change: the limit is for those that were changed."""
    plan = aws.plan("a", "b", "c")
    wire.on(ATTACH, of("a", refuse("AccessDenied", "no", 403)))
    wire.on(ATTACH, of("b", refuse("Throttling", "slow")))
    results = aws.apply(plan, journal, max_changes=1)
    assert outcomes(results) == {"a": "refused", "b": "refused", "c": "attached"}


def test_refused_and_then_by_hand(aws: World, wire: Gate, journal: FileJournal) -> None:
    """A policy that AWS refused to this plan, and that somebody else attached, is theirs."""
    plan = aws.plan("a")
    wire.on(ATTACH, refuse("AccessDenied", "no", 403))
    aws.apply(plan, journal)
    wire.rules.clear()
    aws.iam.attach_role_policy(RoleName="a", PolicyArn=GUARD)
    assert outcomes(aws.undo(plan, journal)) == {"a": "absent"}
    assert outcomes(aws.apply(plan, journal)) == {"a": "already"}
    assert outcomes(aws.undo(plan, journal)) == {"a": "already"}
    assert aws.on("a")[0] == [GUARD]


def test_refusals_between_successes(aws: World, wire: Gate, journal: FileJournal) -> None:
    """Refusals that come now and then don't end the run."""
    names = [f"r{number:02}" for number in range(12)]
    for name in names:
        aws.role(name, "ses:SendEmail")
    plan = aws.plan(*names)
    no = refuse("AccessDenied", "no", 403)
    wire.on(
        ATTACH, lambda request: no(request) if int(request.fields["RoleName"][1:]) % 2 else None
    )
    results = aws.apply(plan, journal)
    assert [one.outcome for one in results] == ["attached", "refused"] * 6


def test_throttled(aws: World, wire: Gate, journal: FileJournal) -> None:
    """Eight tries for a role; after two such roles in a row AWS is left in peace."""
    plan = aws.plan("a", "b", "c")
    wire.on(ATTACH, refuse("Throttling", "Rate exceeded"))
    results = aws.apply(plan, journal)
    assert outcomes(results) == {"a": "refused", "b": "refused", "c": "stopped"}
    assert results[0].message == (
        "Throttling: Rate exceeded (AWS asked to slow down, eight times: run it again later)"
    )
    assert results[2].message.startswith("AWS keeps asking to slow down")
    assert wire.tries(ATTACH) == 16
    assert steps(journal, plan, "a") == ["attaching", "failed"]
    wire.rules.clear()
    assert set(outcomes(aws.apply(plan, journal)).values()) == {"attached"}


def test_throttled_while_reading(aws: World, wire: Gate, journal: FileJournal) -> None:
    """Roles that can't be read are left alone, and AWS in peace after two."""
    plan = aws.plan("a", "b", "c")
    wire.on("iam:GetRole", refuse("Throttling", "Rate exceeded"))
    results = aws.apply(plan, journal, reader=RoleReader(aws.iam))
    assert outcomes(results) == {"a": "refused", "b": "refused", "c": "stopped"}
    assert results[0].message == (
        "could not be read, nothing was done: iam:GetRole a: Throttling: Rate exceeded"
    )
    assert wire.tries(ATTACH) == 0
    assert journal.plans() == []


def test_credentials_that_expire(aws: World, wire: Gate, journal: FileJournal) -> None:
    """With credentials that are of no use any more the run ends at once."""
    plan = aws.plan("a", "b", "c")
    wire.on(ATTACH, of("b", refuse("ExpiredToken", "The security token is expired", 403)))
    results = aws.apply(plan, journal)
    assert outcomes(results) == {"a": "attached", "b": "refused", "c": "stopped"}
    assert "get fresh credentials" in results[1].message
    assert results[2].message == "the credentials are of no use any more (ExpiredToken)"
    assert results[0].standing is not None


SILENCES: dict[str, Callable[[Request], AWSResponse]] = {
    "no answer in time": fail(ReadTimeoutError(endpoint_url=URL)),
    "no connection": fail(EndpointConnectionError(endpoint_url=URL)),
    "a server's error": refuse("ServiceFailure", "try again", 500),
    "something else's answer": lambda _: answer(200, "<html", {"content-type": "text/html"}),
}


@pytest.mark.parametrize("silence", SILENCES)
@pytest.mark.parametrize("carried_out", [False, True])
def test_silence(
    aws: World,
    wire: Gate,
    journal: FileJournal,
    tmp_path: Path,
    silence: str,
    *,
    carried_out: bool,
) -> None:
    """No answer is neither yes nor no: the role is looked at, and what can't be told is unknown.

    Its intent stays in the journal, so that undo looks for it and another run finishes it.
    """
    plan = aws.plan("a", "b")
    quiet = SILENCES[silence]

    def lost(request: Request) -> AWSResponse | None:
        if carried_out and not aws.on("a")[0]:
            return _through(aws, quiet, request)
        return quiet(request)

    wire.on(ATTACH, of("a", lost))
    results = aws.apply(plan, journal)
    if carried_out:
        assert outcomes(results) == {"a": "attached", "b": "attached"}
        assert results[0].standing is not None
        assert remembered(plan, tmp_path / "j")["a"] == (True, True, False, True)
    else:
        assert outcomes(results) == {"a": "unknown", "b": "attached"}
        assert results[0].message.endswith("it can't be seen on the role: run it again to be sure")
        assert remembered(plan, tmp_path / "j")["a"] == (True, False, False, False)
        assert aws.slept[: len(WAITS)] == list(WAITS)
        wire.rules.clear()
        assert outcomes(aws.apply(plan, journal)) == {"a": "attached", "b": "already"}
        assert steps(journal, plan, "a") == ["attaching", "attached", "decided"]


def _through(aws: World, quiet: Callable[[Request], AWSResponse], request: Request) -> AWSResponse:
    """Carry the call out by another client, and answer as ``quiet`` does."""
    import boto3

    boto3.client("iam", region_name="us-east-1").attach_role_policy(
        RoleName=request.fields["RoleName"], PolicyArn=request.fields["PolicyArn"]
    )
    assert aws.on(request.fields["RoleName"])[0] == [GUARD]
    return quiet(request)


def test_carried_out_and_then_throttled(aws: World, wire: Gate, journal: FileJournal) -> None:
    """A try that was carried out without an answer, with throttled ones after it, is done."""
    plan = aws.plan("a")
    slow, quiet = refuse("Throttling", "slow"), fail(ReadTimeoutError(endpoint_url=URL))
    wire.on(
        ATTACH,
        lambda request: _through(aws, quiet, request) if wire.tries(ATTACH) == 1 else slow(request),
    )
    (result,) = aws.apply(plan, journal)
    assert (result.outcome, result.message) == ("attached", "")
    assert wire.tries(ATTACH) == 8


def test_a_role_deleted_under_its_hands(aws: World, wire: Gate, journal: FileJournal) -> None:
    """A role that is deleted between the last look and the call is gone, not refused."""
    plan = aws.plan("a", "b")

    def deleted(_: Request) -> None:
        aws.iam.delete_role_policy(RoleName="a", PolicyName="mail")
        aws.iam.delete_role(RoleName="a")

    wire.on(ATTACH, of("a", deleted))
    results = aws.apply(plan, journal)
    assert outcomes(results) == {"a": "gone", "b": "attached"}
    assert results[0].message == "it was deleted meanwhile"
    assert steps(journal, plan, "a") == ["attaching", "failed"]


def test_a_policy_deleted_under_its_hands(aws: World, wire: Gate, journal: FileJournal) -> None:
    """Where it is the policy that is gone, the role is refused with AWS's words."""
    plan = aws.plan("a")

    def deleted(_: Request) -> None:
        aws.iam.delete_policy(PolicyArn=GUARD)

    wire.on(ATTACH, deleted)
    (result,) = aws.apply(plan, journal)
    assert result.outcome == "refused"
    assert result.message.startswith(f"NoSuchEntity: Policy {GUARD}")


def test_a_policy_too_new_to_attach(aws: World, wire: Gate, journal: FileJournal) -> None:
    """A policy that this run made is waited for where IAM doesn't know it everywhere yet."""
    plan = aws.plan("a")
    aws.iam.delete_policy(PolicyArn=GUARD)
    unknown = refuse("NoSuchEntity", "no such policy", 404)
    wire.on(ATTACH, lambda request: unknown(request) if wire.tries(ATTACH) <= 2 else None)
    (result,) = aws.apply(plan, journal, create_policy=True)
    assert (result.outcome, result.message) == ("attached", "")
    assert wire.tries(ATTACH) == 3


def test_a_policy_that_cannot_be_made(aws: World, wire: Gate, journal: FileJournal) -> None:
    """A refusal to make the policy ends the run before any role is touched."""
    plan = aws.plan("a", "b")
    aws.iam.delete_policy(PolicyArn=GUARD)
    wire.on("iam:CreatePolicy", refuse("AccessDenied", "no", 403))
    results = aws.apply(plan, journal, create_policy=True)
    assert outcomes(results) == {"a": "stopped", "b": "stopped"}
    assert results[0].message == (
        f"{GUARD} could not be created: AccessDenied: no (these credentials may not do it); nothing"
        " was changed"
    )
    assert journal.plans() == []


def test_a_policy_made_by_another_run(aws: World, wire: Gate, journal: FileJournal) -> None:
    """Where another run makes the policy at the same moment, it is used."""
    plan = aws.plan("a")
    aws.iam.delete_policy(PolicyArn=GUARD)
    once: list[None] = []

    def made(_: Request) -> None:
        if not once:
            once.append(None)
            aws.deploy_guard()

    wire.on("iam:CreatePolicy", made)
    assert outcomes(aws.apply(plan, journal, create_policy=True)) == {"a": "attached"}


def test_the_policy_cannot_be_read(aws: World, wire: Gate, journal: FileJournal) -> None:
    """A policy whose text can't be read isn't attached: it could say anything."""
    plan = aws.plan("a")
    wire.on("iam:GetPolicyVersion", refuse("AccessDenied", "no", 403))
    (result,) = aws.apply(plan, journal, reader=RoleReader(aws.iam))
    assert result.outcome == "stopped"
    assert result.message == (
        f"iam:GetPolicyVersion {GUARD}: AccessDenied: no; nothing was changed"
    )
