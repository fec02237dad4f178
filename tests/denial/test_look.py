"""The role behind a refused call is asked, and the advice is about what stands in the way."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from auditor.account import (
    Account,
    Identity,
    Organization,
    PolicyText,
    Project,
    Role,
    ScpLevel,
    SesRegion,
)
from auditor.corrective.documents import guard, sender
from auditor.denial.advice import advise
from auditor.denial.asked import asked_words
from auditor.denial.find import find
from auditor.denial.look import NOTHING_TO_ADD, Seen, look
from auditor.denial.why import REAL, SIMULATED, Examined

NOW = datetime(2026, 11, 23, 3, tzinfo=UTC)
ACCOUNT = "123456789012"
ARN = f"arn:aws:ses:eu-west-1:{ACCOUNT}:identity/example.com"
LOG = (
    f"User `arn:aws:sts::{ACCOUNT}:assumed-role/builds/AWSCodeBuild-1' is not authorized to perform"
    f" `ses:SendEmail' on resource `{ARN}'"
)
ANYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}


def text(name: str, kind: Any, *statements: Any) -> PolicyText:
    return PolicyText(name, None, kind, {"Version": "2012-10-17", "Statement": list(statements)})


def allow(action: str = "ses:SendEmail", resource: str = "*", **condition: Any) -> dict[str, Any]:
    extra = {"Condition": condition} if condition else {}
    return {"Effect": "Allow", "Action": action, "Resource": resource, **extra}


def role(*inline: PolicyText, boundary: PolicyText | None = None, name: str = "builds") -> Role:
    return Role(
        f"arn:aws:iam::{ACCOUNT}:role/ci/{name}", name, "AROAEXAMPLE", {},
        text("trust", "trust"), inline, (), boundary,
        (Project("web", "eu-west-1", f"arn:aws:codebuild:eu-west-1:{ACCOUNT}:project/web"),),
    )  # fmt: skip


def seen(*roles: Role, log: str = LOG, **account: Any) -> Seen:
    whole = Account(ACCOUNT, "aws", roles, **account)
    (one,) = look(advise(find(log).denials), whole, NOW)
    return one


def answers(one: Seen) -> tuple[str, str, str | None]:
    (asked,) = one.examined.values()
    return asked.simulated, asked.real, asked.mended


def first(one: Seen) -> Examined:
    return next(iter(one.examined.values()))


def words(one: Seen) -> str:
    return " ".join(line for asked in one.examined.values() for line in asked_words(asked))


def test_nothing_allows_it() -> None:
    """A role without any such Allow: nothing in its own policies, and the policy is enough."""
    one = seen(role(text("logs", "inline", allow("logs:*"))))
    assert answers(one) == ("not allowed", "not allowed", "allowed")
    assert first(one).silent == ("the role's own policies",)
    assert (first(one).near, first(one).denies) == ((), ())
    assert [project.name for project in one.projects] == ["web"]
    assert one.advice.policy is not None


def test_a_condition_that_doesnt_hold() -> None:
    """An Allow that nearly matches is named, with the condition that doesn't hold."""
    near = allow(StringEquals={"aws:RequestedRegion": "us-east-1"})
    one = seen(role(text("mail", "inline", near)))
    assert answers(one) == ("not allowed", "not allowed", "allowed")
    (found,) = first(one).near
    assert [condition.shown for condition in found.failed] == ["aws:RequestedRegion"]
    assert "StringEquals aws:RequestedRegion us-east-1 doesn't hold" in words(one)


def test_another_resource() -> None:
    """An Allow on another identity is named as such."""
    one = seen(role(text("mail", "inline", allow(resource=f"{ARN}.org"))))
    (found,) = first(one).near
    assert (found.elsewhere, found.failed) == (True, ())
    assert f"it is about {ARN}.org" in words(one)


def test_mail_to_real_people() -> None:
    """Where the simulator is allowed already, mail was for somebody else: no policy is given."""
    one = seen(role(PolicyText("mail", None, "inline", sender())))
    assert answers(one) == ("allowed", "not allowed", "allowed")
    assert one.advice.policy is None
    assert NOTHING_TO_ADD in one.advice.refusals
    assert "Change the recipients" in words(one)


def test_a_guarded_role() -> None:
    """The guard leaves mail to the simulator alone: refused was mail to somebody else."""
    open_, closed = text("open", "inline", ANYTHING), PolicyText("guard", None, "inline", guard())
    one = seen(role(open_, closed))
    assert answers(one) == ("allowed", "not allowed", "allowed")
    assert f"To {REAL} it may not" in words(one)


def test_an_open_role() -> None:
    """A role that may mail anybody is said to be one."""
    one = seen(role(text("open", "inline", ANYTHING)))
    assert answers(one)[:2] == ("allowed", "allowed")
    assert "the role mails real people" in words(one)


def test_a_deny_in_the_way() -> None:
    """A Deny that holds for the simulator too is named, and no Allow is said to be enough."""
    deny = {"Sid": "NoMail", "Effect": "Deny", "Action": "ses:*", "Resource": "*"}
    one = seen(role(text("limits", "inline", deny)))
    assert answers(one) == ("not allowed", "not allowed", "not allowed")
    assert [each.statement.sid for each in first(one).denies] == ["NoMail"]
    assert 'The Deny in statement 0 "NoMail" of inline policy limits denies it' in words(one)
    assert "is not enough" in words(one)


def test_a_boundary_in_the_way() -> None:
    """A boundary that doesn't allow it is named; the policy isn't enough."""
    boundary = text("team-boundary", "boundary", allow("logs:*"))
    one = seen(role(text("open", "inline", ANYTHING), boundary=boundary))
    assert answers(one) == ("not allowed", "not allowed", "not allowed")
    assert first(one).silent == ("the permissions boundary team-boundary",)


def test_a_service_control_policy_in_the_way() -> None:
    """The level of the organization whose policies don't allow it is named."""
    levels = (
        ScpLevel("r-1", "Root", (text("full", "scp", ANYTHING),)),
        ScpLevel("ou-1", "Builds", (text("logs-only", "scp", allow("logs:*")),)),
    )
    organization = Organization("o-example", False, levels)
    one = seen(role(text("open", "inline", ANYTHING)), organization=organization)
    assert answers(one)[2] == "not allowed"
    assert first(one).silent == ("the service control policies of Builds (ou-1)",)


def test_an_identitys_own_policy() -> None:
    """Sending authorization counts: a Deny there stands in the way, an Allow there lets it pass."""
    who = {"AWS": f"arn:aws:iam::{ACCOUNT}:role/ci/builds"}
    for effect, expected in (("Deny", "not allowed"), ("Allow", "allowed")):
        entry = {"Effect": effect, "Principal": who, "Action": "ses:SendEmail", "Resource": ARN}
        own = text("sending", "identity-policy", entry)
        region = SesRegion("eu-west-1", True, True, (Identity("example.com", ARN, True, (own,)),))
        inline = (text("open", "inline", ANYTHING),) if effect == "Deny" else ()
        assert answers(seen(role(*inline), ses=(region,)))[0] == expected


def test_what_cant_be_read_decides_nothing() -> None:
    """A document that can't be read leaves it undecided, and is named; a known Deny holds."""
    unread = PolicyText("odd", None, "inline", None, missing="AccessDenied")
    one = seen(role(unread))
    assert answers(one)[0] == "not decided"
    assert "odd" in words(one)
    deny = text("limits", "inline", {"Effect": "Deny", "Action": "*", "Resource": "*"})
    assert answers(seen(role(unread, deny)))[0] == "not allowed"


def test_who_cant_be_looked_at() -> None:
    """No such role, a role of another account, a user: said, and the policy stays as it was."""
    assert "has no role builds" in seen(role(name="other")).remark
    assert "not of" in seen(role(), log=LOG.replace(ACCOUNT, "210987654321")).remark
    user = LOG.replace("sts", "iam").replace("assumed-role/builds/AWSCodeBuild-1", "user/mailer")
    assert seen(role(), log=user).remark == "the caller isn't a role"
    nobody = f"User {LOG[LOG.index('is not') :]}"
    assert seen(role(), log=nobody).remark == "the message doesn't say who was refused"
    assert seen(role(name="other")).advice.policy is not None


def test_a_policy_of_the_same_name_is_minded() -> None:
    """The command would replace an inline policy of the sender's name: that is told."""
    own = PolicyText("ses-simulator-sender", None, "inline", sender())
    assert seen(role(own)).replaces
    assert not seen(role()).replaces


def test_the_session_of_the_log_is_the_one_asked_about() -> None:
    """A condition on the session's name is judged with the name in the log."""
    named = allow(StringLike={"aws:userid": "*:AWSCodeBuild-1"})
    assert answers(seen(role(text("mail", "inline", named))))[0] == "allowed"
    other = allow(StringLike={"aws:userid": "*:AWSCodeBuild-2"})
    assert answers(seen(role(text("mail", "inline", other))))[0] == "not allowed"
    assert SIMULATED in words(seen(role(text("mail", "inline", named))))


def test_another_accounts_identity() -> None:
    """What another account allows isn't known, so such a call is never said to be allowed."""
    log = LOG.replace(f"1:{ACCOUNT}:identity", "1:210987654321:identity")
    one = seen(role(text("open", "inline", ANYTHING)), log=log)
    assert answers(one) == ("not decided", "not decided", "not decided")
    assert one.advice.policy is not None


def test_what_aws_named_counts_more_than_what_was_read() -> None:
    """A snapshot has no SCPs: where AWS says that one denied it, "allowed" there isn't the end."""
    log = f"{LOG} with an explicit deny in a service control policy"
    one = seen(role(text("open", "inline", ANYTHING)), log=log, not_evaluated=("scps",))
    assert answers(one)[0] == "allowed"
    assert one.advice.policy is not None
    assert one.unseen == ("scps",)
