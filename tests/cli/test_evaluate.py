"""``auditor evaluate`` end to end, on snapshots, through the real command line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from auditor.cli import main
from tests.cli.conftest import NOTHING, ODD, OPEN, POSSIBLE, SAFE, SIMULATOR, WINDOW, role, run

if TYPE_CHECKING:
    from collections.abc import Callable

    Snapshot = Callable[..., str]

NOW = ("--now", "2026-11-23T03:00:00Z")
MAIL = ("--action", "ses:SendEmail", "--from", "ci@example.com")
TO_REAL = ("--to", "someone@example.com")
TO_SIMULATOR = ("--to", "success@simulator.amazonses.com")
READ = ("--action", "s3:GetObject", "--resource")
IDENTITY = "arn:aws:ses:us-east-1:123456789012:identity/example.com"

BULK = role(
    "bulk",
    Action="ses:Send*",
    Resource="*",
    Condition={"ForAllValues:StringLike": {"ses:Recipients": SIMULATOR}},
)
TEMPLATED = role(
    "templated", Action="ses:SendTemplatedEmail", Resource="arn:aws:ses:*:*:identity/*"
)
TAGGED = role(
    "tagged",
    Action="s3:GetObject",
    Resource="arn:aws:s3:::builds/${aws:PrincipalTag/team}/*",
    Condition={"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}},
)
TAGGED["Tags"] = [{"Key": "team", "Value": "web"}]
ANY = role("any", Action="ses:Send*", Resource="*")
ROLES = (ANY, OPEN, POSSIBLE, SAFE, NOTHING, ODD, WINDOW, BULK, TEMPLATED, TAGGED)


@pytest.mark.parametrize(
    ("name", "options", "status"),
    [
        ("open", (*MAIL, *TO_REAL), 0),
        ("open", ("--action", "SES:sendemail", "--from", "a@example.com", *TO_REAL), 0),
        ("arn:aws:iam::123456789012:role/open", (*MAIL, *TO_REAL), 0),
        ("open", (*MAIL, *TO_REAL, "--resource", IDENTITY), 0),
        ("open", ("--action", "s3:GetObject", "--resource", "arn:aws:s3:::b/k"), 1),
        ("safe", (*MAIL, *TO_REAL), 1),
        ("safe", (*MAIL, *TO_SIMULATOR), 0),
        ("safe", (*MAIL, *TO_SIMULATOR, *TO_REAL), 1),
        ("nothing", (*MAIL, *TO_REAL), 1),
        ("nothing", ("--action", "s3:GetObject", "--resource", "arn:aws:s3:::b/k"), 0),
        ("possible", (*MAIL, *TO_REAL), 3),
        ("possible", (*MAIL, "--to", "someone@example.org"), 1),
        ("odd", (*MAIL, *TO_REAL), 3),
        ("window", (*MAIL, *TO_REAL), 1),
        ("window", (*MAIL, *TO_REAL, "--now", "2025-11-23T03:00:00Z"), 0),
        ("bulk", ("--action", "ses:SendBulkEmail", "--from", "a@example.com", *TO_REAL), 3),
        ("bulk", ("--action", "ses:SendBulkEmail", "--from", "a@example.com", *TO_SIMULATOR), 0),
        ("bulk", ("--action", "ses:SendBulkEmail", "--from", "a@example.com"), 3),
        ("any", ("--action", "ses:SendBulkEmail", "--from", "a@example.com"), 0),
        ("bulk", (*MAIL, *TO_REAL), 1),
        ("templated", ("--action", "ses:SendTemplatedEmail", *MAIL[2:], *TO_REAL), 3),
        (
            "templated",
            ("--action", "ses:SendTemplatedEmail", *MAIL[2:], *TO_REAL, "--resource", IDENTITY),
            3,
        ),
        # another account's identity needs that account's leave
        ("open", (*MAIL, *TO_REAL, "--resource", IDENTITY.replace("123456789012", "2" * 12)), 3),
        # a sender that isn't the identity's
        ("open", (*MAIL, *TO_REAL, "--resource", IDENTITY.replace("example.com", "b.net")), 3),
        (
            "tagged",
            (
                "--action",
                "s3:GetObject",
                "--resource",
                "arn:aws:s3:::builds/web/x",
                "--context",
                "aws:SourceIp=10.1.2.3",
            ),
            0,
        ),
        (
            "tagged",
            (
                "--action",
                "s3:GetObject",
                "--resource",
                "arn:aws:s3:::builds/ops/x",
                "--context",
                "aws:SourceIp=10.1.2.3",
            ),
            1,
        ),
    ],
)
def test_status(
    name: str,
    options: tuple[str, ...],
    status: int,
    snapshot: Snapshot,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The status says which: allowed, not allowed, not decided; text and JSON agree with it."""
    path = snapshot(*ROLES)
    words = {0: "ALLOWED", 1: "NOT ALLOWED", 3: "NOT DECIDED"}
    assert main(["evaluate", name, *NOW, *options, "--snapshot", path]) == status
    shown = capsys.readouterr()
    assert shown.err == ""
    assert shown.out.startswith(f"{words[status]}: ")
    assert (
        main(["evaluate", name, *NOW, *options, "--snapshot", path, "--format", "json"]) == status
    )
    found = json.loads(capsys.readouterr().out)
    assert found["outcome"].upper() == words[status]
    assert (found["least_access"], found["most_access"]) == {
        0: (True, True),
        1: (False, False),
        3: (False, True),
    }[status]
    assert bool(found["doubts"]) == (status == 3)


TARGET = "arn:aws:iam::123456789012:role/target"
BUILD = "arn:aws:iam::123456789012:role/build"
ROOT = "arn:aws:iam::123456789012:root"


@pytest.mark.parametrize(
    ("principal", "own", "status"),
    [
        ({"AWS": BUILD}, "s3:*", 0),  # in one account a trust policy that names the role is enough
        ({"AWS": "*"}, "s3:*", 0),
        ({"AWS": ROOT}, "s3:*", 1),  # one that names the account leaves it to the role's policies
        ({"AWS": ROOT}, "sts:AssumeRole", 0),
        ({"AWS": f"{BUILD}er"}, "sts:AssumeRole", 1),
        ({"Service": "codebuild.amazonaws.com"}, "sts:*", 1),
    ],
)
def test_assuming_takes_both_policies(
    principal: dict[str, str],
    own: str,
    status: int,
    snapshot: Snapshot,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Assuming a role of the account is decided with its trust policy.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles.html
    """
    target = role("target", Action="ses:*", Resource="*")
    allow = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    target["AssumeRolePolicyDocument"] = {"Version": "2012-10-17", "Statement": [allow]}
    path = snapshot(role("build", Action=own, Resource="*"), target)
    words = ["evaluate", "build", *NOW, "--action", "sts:AssumeRole", "--snapshot", path]
    assert main([*words, "--resource", TARGET]) == status
    out = " ".join(capsys.readouterr().out.split())
    assert ("the trust policy of target" in out) == (status == 1 and own != "s3:*")


@pytest.mark.parametrize("account", ["123456789012", "2" * 12])
def test_a_trust_policy_that_isnt_here(
    account: str, snapshot: Snapshot, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whether a role can be assumed whose trust policy isn't at hand isn't decided."""
    path = snapshot(role("build", Action="sts:*", Resource="*"))
    arn = TARGET.replace("123456789012", account)
    words = ["evaluate", "build", *NOW, "--action", "sts:AssumeRole", "--snapshot", path]
    assert main([*words, "--resource", arn]) == 3
    assert "read" in capsys.readouterr().out


def test_near_misses_name_key_and_values(snapshot: Snapshot) -> None:
    """What nearly matched stands there with the condition, the request's value and the policy's."""
    done = run("evaluate", "safe", *MAIL, *TO_REAL, *NOW, "--snapshot", snapshot(SAFE))
    assert (done.returncode, done.stderr) == (1, "")
    text = " ".join(done.stdout.split())
    assert "Nearly: right action and resource The Allow in statement 0 of inline policy" in text
    assert (
        "ForAllValues:StringLike ses:Recipients *@simulator.amazonses.com: the request has"
        " someone@example.com, which matches none of these" in text
    )
    assert f"resource {IDENTITY} (filled in)" in text
    assert "aws:PrincipalArn = arn:aws:iam::123456789012:role/safe" in text
    assert all(len(line) <= 80 for line in done.stdout.splitlines())
    assert done.stdout.replace("\n", "").isprintable()


def test_json_has_the_evidence(snapshot: Snapshot, capsys: pytest.CaptureFixture[str]) -> None:
    """Scripts get every statement's fate, and the failed condition as values."""
    main(
        [
            "evaluate",
            "safe",
            *MAIL,
            *TO_REAL,
            *NOW,
            "--snapshot",
            snapshot(SAFE),
            "--format",
            "json",
        ]
    )
    found: Any = json.loads(capsys.readouterr().out)
    (statement,) = found["statements"]
    assert statement["fate"] == "conditions"
    assert statement["failed"] == [
        {
            "operator": "ForAllValues:StringLike",
            "key": "ses:Recipients",
            "policy_values": [SIMULATOR],
            "request_values": ["someone@example.com"],
        }
    ]
    assert found["request"]["context"]["ses:Recipients"] == ["someone@example.com"]
    assert found["filled_in"] == [
        "resource",
        "aws:RequestedRegion",
        "aws:CurrentTime",
        "aws:EpochTime",
        "aws:userid",
    ]
    assert found["session"]["aws:PrincipalArn"].endswith(":role/safe")


def test_what_is_open_is_named(snapshot: Snapshot, capsys: pytest.CaptureFixture[str]) -> None:
    """Where the readings differ, the page names what AWS's documentation leaves open."""
    main(["evaluate", "possible", *MAIL, *TO_REAL, *NOW, "--snapshot", snapshot(POSSIBLE)])
    text = " ".join(capsys.readouterr().out.split())
    assert (
        "AWS's documentation leaves this open: what StringLike on ses:Recipients means without"
        " ForAllValues or ForAnyValue." in text
    )


BAD = {
    "no such role": (["opne", *MAIL, *TO_REAL], "there is no role 'opne'", "did you mean open"),
    "an ARN that isn't there": (
        ["arn:aws:iam::123456789012:role/x/safer", *MAIL, *TO_REAL],
        "there is no role",
        "did you mean safe",
    ),
    "hostile role": (["\x1b[31m", *MAIL, *TO_REAL], "there is no role", ""),
    "no action": (["open"], "Missing option '--action'", ""),
    "a pattern for an action": (["open", "--action", "ses:*"], "name one action", ""),
    "no recipients": (["open", *MAIL], "--to: every ses:SendEmail has recipients", ""),
    "no sender": (["open", *MAIL[:2], *TO_REAL], "--from: name the sender", ""),
    "not a sender": (["open", *MAIL[:2], *TO_REAL, "--from", "ci"], "isn't an address", ""),
    "not a recipient": (["open", *MAIL, "--to", "nope"], "--to 'nope': isn't an address", ""),
    "two regions": (
        ["open", *MAIL, *TO_REAL, "--region", "eu-west-1", "--resource", IDENTITY],
        "--region 'eu-west-1': the resource is in 'us-east-1'",
        "",
    ),
    "recipients of an object": (
        ["open", "--action", "s3:GetObject", *TO_REAL],
        "s3:GetObject carries no recipients",
        "",
    ),
    "a sender of an object": (
        ["open", "--action", "s3:GetObject", *MAIL[2:]],
        "s3:GetObject carries no From address",
        "",
    ),
    "no resource": (["open", "--action", "s3:GetObject"], "--resource: name the ARN", ""),
    "a context without =": (
        ["open", *MAIL, *TO_REAL, "--context", "aws:SourceIp"],
        "write it as KEY=VALUE",
        "",
    ),
    "recipients twice": (
        ["open", *MAIL, *TO_REAL, "--context", "ses:recipients=a@b.c"],
        "leave one of them out",
        "",
    ),
    "not a time": (["open", *MAIL, *TO_REAL, "--now", "soon"], "isn't an ISO 8601 time", ""),
    "too many recipients": (
        ["open", *MAIL, *(word for n in range(51) for word in ("--to", f"a{n}@example.com"))],
        "at most 50 recipients",
        "",
    ),
}


@pytest.mark.parametrize("case", BAD, ids=str)
def test_bad_usage(case: str, snapshot: Snapshot, capsys: pytest.CaptureFixture[str]) -> None:
    """What can't be asked is one printable line on standard error, and status 2."""
    arguments, what, more = BAD[case]
    assert main(["evaluate", *arguments, "--snapshot", snapshot(OPEN, SAFE)]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err[:-1].isprintable()
    assert what in shown.err
    assert more in shown.err


def test_hostile_policies(snapshot: Snapshot, capsys: pytest.CaptureFixture[str]) -> None:
    """Names of policies and values of requests can't forge lines or steer a terminal."""
    evil = role("evil", Action="ses:SendEmail", Resource="*", Sid="\x1b[31m\nALLOWED: forged")
    evil["RolePolicyList"][0]["PolicyName"] = "\u202etxt\nALLOWED"
    context = ("--context", "aws:UserAgent=\x1b]0;x\x07\nNotes")
    assert main(["evaluate", "evil", *MAIL, *TO_REAL, *context, "--snapshot", snapshot(evil)]) == 0
    out = capsys.readouterr().out
    assert out.replace("\n", "").isprintable()
    assert [line for line in out.splitlines() if line.startswith("ALLOWED")] == [
        "ALLOWED: evil may make this request."
    ]
    assert out.splitlines().count("Notes") == 1


def test_scans_and_requests_agree(snapshot: Snapshot, capsys: pytest.CaptureFixture[str]) -> None:
    """Each witness of a scan, asked as a request, is allowed if proven and open if possible."""
    path = snapshot(*ROLES)
    main(["scan", "--snapshot", path, *NOW, "--format", "json", "--fail-on", "never"])
    report = json.loads(capsys.readouterr().out)
    asked = 0
    for one in report["roles"]:
        for finding in one["findings"]:
            witness = finding["witness"]
            if witness is None or finding["severity"] == "low":
                continue
            words = ["evaluate", one["name"], "--action", witness["action"], "--snapshot", path]
            for arn in witness.get("resources", [witness["resource"]]):
                words += ["--resource", arn]
            context = dict(witness["context"])
            for address in context.pop("ses:Recipients", ["someone@example.com"]):
                words += ["--to", address]
            for key, value in context.items():
                words += ["--context", f"{key}={value}"]
            status = main([*words, *NOW])
            assert status == (0 if finding["certainty"] == "proven" else 3), words
            capsys.readouterr()
            asked += 1
    assert asked >= 4
