"""The command line in an account of moto's, and AWS's answers made to order."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import boto3

from auditor.cli import main
from auditor.collect import clients
from auditor.smoke.scenarios import OUTSIDE
from tests.smoke.world import REGION, Answer, World, listening, text_of

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest


FROM = ("--from", "ci@example.com", "--label", "run-7")
OPEN = {
    "Version": "2012-10-17",
    "Statement": {"Effect": "Allow", "Action": "ses:*", "Resource": "*"},
}
GRANTS = {  # of an identity: readable as JSON, and nothing that IAM would accept
    "Version": "2012-10-17",
    "Statement": {"Effect": "Allow", "Principal": "*", "Action": "ses:*", "Resource": "*",
                  "Condition": {"StringLikes": {"ses:Recipients": "*"}}},
}  # fmt: skip


NOT_ALLOWED = (
    "User: arn:aws:sts::123456789012:assumed-role/codebuild-web/AWSCodeBuild-1 is not authorized to"
    " perform: ses:SendEmail on resource: arn:aws:ses:eu-west-1:123456789012:identity/example.com"
)
UNVERIFIED = (
    "Email address is not verified. The following identities failed the check in region EU-WEST-1: "
)


class Cli:
    """The command line in an account, with what was heard and what AWS is made to answer."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.world = World(boto3.Session(region_name=REGION))
        self.outside: list[str] = []  # whom a test means to have mailed beyond the simulator
        self.slept: list[float] = []
        self._capsys, self._monkeypatch = capsys, monkeypatch
        self._hooks: list[tuple[str, Callable[..., Any]]] = []
        opened = clients.open_session

        def open_session(*args: Any, **arguments: Any) -> boto3.Session:
            session = opened(*args, **arguments)
            for name, hook in self._hooks:
                session.events.register(name, hook)
            return session

        monkeypatch.setattr(clients, "open_session", open_session)
        listening(monkeypatch, lambda: self.world)

    def answer(self, what: str, status: int, code: str, message: str, times: int = 10**6) -> Answer:
        """Let AWS answer this to calls such as ``sesv2.SendEmail``."""
        hook = Answer(status, code, message, times)
        self._hooks.append((f"before-send.{what}", hook))
        # botocore's pauses between tries, which this test needn't wait for
        self._monkeypatch.setattr("botocore.endpoint.time.sleep", self.slept.append)
        return hook

    def assume(self, name: str, *documents: object) -> None:
        """Run as a role with these policies from now on."""
        arn = self.world.role(name, *documents)
        sts = boto3.client("sts", region_name=REGION)
        found = sts.assume_role(RoleArn=arn, RoleSessionName="AWSCodeBuild-1")["Credentials"]
        self._monkeypatch.setenv("AWS_ACCESS_KEY_ID", found["AccessKeyId"])
        self._monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", found["SecretAccessKey"])
        self._monkeypatch.setenv("AWS_SESSION_TOKEN", found["SessionToken"])

    def run(self, *args: str) -> tuple[int, str, str]:
        """Return status, standard output and standard error."""
        status = main(["smoke", *FROM, *args])
        shown = self._capsys.readouterr()
        assert all(line.isprintable() for line in (shown.out + shown.err).splitlines())
        return status, shown.out, shown.err

    def checks(self, *args: str) -> tuple[int, dict[str, Any], dict[str, dict[str, Any]]]:
        """Return status, the JSON report, and its checks by ``via name``."""
        status, out, _ = self.run("--format", "json", *args)
        report = json.loads(out)
        assert report["passed"] == (status == 0) == all(one["passed"] for one in report["checks"])
        return status, report, {f"{one['via']} {one['name']}": one for one in report["checks"]}

    def listen(self, *args: str, seconds: int = 0) -> tuple[str, ...]:
        return ("--events", self.world.url, "--wait", str(seconds), *args)


class Refusing:
    """Makes AWS refuse mail to anybody but the simulator, as the role's policy does."""

    def __init__(self, cli: Cli, code: str = "AccessDenied", message: str = NOT_ALLOWED) -> None:
        self.denied = 0
        self.answer = Answer(400, code, message)
        cli._hooks += [("before-send.ses", self), ("before-send.sesv2", self)]

    def __call__(self, request: Any, **arguments: Any) -> Any:
        text = text_of(request)
        if OUTSIDE in text or OUTSIDE.replace("@", "%40") in text:
            self.denied += 1
            return self.answer(request, **arguments)
        return None
