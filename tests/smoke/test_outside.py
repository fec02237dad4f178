"""``auditor smoke --refused`` end to end: tried only where it is proven to be refused."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import boto3

from auditor.corrective.documents import guard, sender
from auditor.smoke.scenarios import OUTSIDE
from tests.cli.conftest import page, role
from tests.smoke.cli import GRANTS, OPEN, UNVERIFIED, Cli, Refusing
from tests.smoke.world import REGION

if TYPE_CHECKING:
    from pathlib import Path


def test_refused_as_it_should_be(cli: Cli) -> None:
    """A closed role's mail outside is tried once an operation, and IAM's refusal is a pass."""
    cli.assume("codebuild-web", sender())
    refusal = Refusing(cli)
    status, report, checks = cli.checks("--refused", "--via", "v2", "--via", "v1", "--via", "raw")
    assert (status, report["role"]) == (0, "codebuild-web")
    assert [checks[f"{via} refused"]["passed"] for via in ("v2", "v1", "raw")] == [True] * 3
    assert "mails the simulator alone" in checks["v2 refused"]["message"]
    assert refusal.denied == 3


def test_an_open_roles_mail_outside_is_not_tried(cli: Cli) -> None:
    """Where the role can mail real people, that is the finding: nothing is sent to show it."""
    cli.assume("codebuild-web", OPEN)
    status, _, checks = cli.checks("--refused")
    assert (status, checks["v2 refused"]["problem"]) == (1, "open")
    assert "can mail real people by ses:SendEmail" in checks["v2 refused"]["message"]
    assert checks["v2 refused"]["recipient"] is None


def test_an_undecidable_roles_mail_outside_is_not_tried(cli: Cli) -> None:
    """A doubt, here an identity's policy that nobody understands, is no proof: not attempted."""
    cli.assume("codebuild-web", sender())
    make: Any = boto3.client
    make("sesv2", region_name=REGION).create_email_identity_policy(
        EmailIdentity="example.com", PolicyName="sharing", Policy=json.dumps(GRANTS)
    )
    status, _, checks = cli.checks("--refused")
    assert (status, checks["v2 refused"]["problem"]) == (1, "not-attempted")
    assert "can't be decided" in checks["v2 refused"]["message"]
    assert checks["v2 refused"]["recipient"] is None


def test_a_person_or_an_unreadable_role(cli: Cli) -> None:
    """Without a role, or without its policies, nothing outside is tried."""
    assert "aren't a role's" in cli.checks("--refused")[2]["v2 refused"]["message"]
    cli.assume("codebuild-web", sender())
    cli.answer("iam.GetRole", 403, "AccessDenied", "not you")
    status, _, checks = cli.checks("--refused")
    assert (status, checks["v2 refused"]["problem"]) == (1, "not-attempted")
    assert "AccessDenied: not you" in checks["v2 refused"]["message"]


def test_mail_that_had_to_be_refused_is_taken(cli: Cli) -> None:
    """If AWS takes what it was proven to refuse, that is the loudest failure there is."""
    cli.assume("codebuild-web", OPEN, guard())
    cli.outside = [OUTSIDE]
    status, out, _ = cli.run("--refused")
    assert status == 1
    assert re.search(
        r"^FAIL  v2  refused +accepted: AWS ACCEPTED mail to nobody@", out, re.MULTILINE
    )
    assert "1 elsewhere" in out


def test_one_mail_that_is_taken_is_the_last(cli: Cli) -> None:
    """The first mail outside that AWS takes disproves the proof: by other ways none is tried."""
    cli.assume("codebuild-web", OPEN, guard())
    cli.outside = [OUTSIDE]  # at the end, one mail is all that went there
    status, _, checks = cli.checks("--refused", "--via", "v1", "--via", "v2", "--via", "raw")
    found = [checks[f"{via} refused"] for via in ("v1", "v2", "raw")]
    assert status == 1
    assert [one["problem"] for one in found] == ["accepted", "not-attempted", "not-attempted"]
    assert [one["recipient"] for one in found] == [OUTSIDE, None, None]
    assert "AWS accepted mail to nobody@example.com by SES v1" in found[1]["message"]


def test_the_sandbox_is_no_refusal(cli: Cli) -> None:
    """Mail that only the sandbox stops was let through by IAM: that isn't a pass."""
    cli.assume("codebuild-web", sender())
    refusal = Refusing(cli, "MessageRejected", f"{UNVERIFIED}{OUTSIDE}")
    status, _, checks = cli.checks("--refused", "--via", "v2", "--via", "raw")
    assert (status, checks["v2 refused"]["problem"]) == (1, "sandbox")
    assert checks["raw refused"]["problem"] == "not-attempted", "IAM let it through: no more of it"
    assert refusal.denied == 1


def test_the_roles_policies_from_a_snapshot(cli: Cli, tmp_path: Path) -> None:
    """A snapshot's role of the caller's name is decided, with the identities' policies as now."""
    cli.assume("codebuild-web")
    cli.answer("iam", 403, "AccessDenied", "not you")
    closed = role("codebuild-web", **sender()["Statement"][0])  # type: ignore[index]  # a list
    path = tmp_path / "snapshot.json"
    path.write_text(page(closed), encoding="utf-8")
    refusal = Refusing(cli)
    assert cli.checks("--refused", "--snapshot", str(path))[0] == 0
    assert refusal.denied == 1
    path.write_text(page(role("other", Action="s3:*", Resource="*")), encoding="utf-8")
    checks = cli.checks("--refused", "--snapshot", str(path))[2]
    assert "no role codebuild-web" in checks["v2 refused"]["message"]
