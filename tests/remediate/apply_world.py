"""An account in moto with exposed roles, plans for it, and a way to end a run at any moment."""

from __future__ import annotations

import json
import os
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import boto3
import botocore.loaders
import botocore.session
from moto import mock_aws

from auditor.account import Account, PolicyText, Role
from auditor.collect.iam import sweep_roles
from auditor.collect.single import RoleReader
from auditor.corrective.documents import guard
from auditor.corrective.names import MANAGED, PATH, policy_arn
from auditor.remediate.apply import apply
from auditor.remediate.clients import CONFIG
from auditor.remediate.deciding import decided
from auditor.remediate.fingerprint import fingerprint
from auditor.remediate.history import history
from auditor.remediate.journal_file import FileJournal
from auditor.remediate.model import Change, Plan, Way, sha256_of, text_of
from auditor.remediate.undo import undo

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    import pytest
    from mypy_boto3_iam import IAMClient

    from auditor.remediate.interface import Journal, Reader
    from auditor.remediate.model import Result, Standing

ACCOUNT = "123456789012"
_LOADER = botocore.loaders.create_loader()  # keeps AWS's service models, read once
WHO = f"arn:aws:sts::{ACCOUNT}:assumed-role/admin/someone"
NOW = datetime(2026, 11, 23, 3, tzinfo=UTC)
GUARD = policy_arn("aws", ACCOUNT, "guard")
INLINE = MANAGED["guard"]
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "codebuild.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ],
}


def allow(*actions: str) -> str:
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@dataclass
class World:
    """The account, a clock that moves on only while a run sleeps, and what runs said.

    ``eyes`` makes the reader of each run that isn't given one: IAM's own, where it is None.
    """

    session: boto3.Session
    iam: IAMClient
    now: datetime = NOW
    known: Account | None = None
    eyes: Callable[[], Reader] | None = None
    slept: list[float] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    def _reads(self) -> Reader:
        return RoleReader(self.iam)

    def clock(self) -> datetime:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += timedelta(seconds=seconds)

    def role(self, name: str, *actions: str, **more: Any) -> str:
        """Make a CodeBuild role, with an inline policy where actions are given to allow."""
        made = self.iam.create_role(
            RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST), **more
        )
        if actions:
            self.iam.put_role_policy(
                RoleName=name, PolicyName="mail", PolicyDocument=allow(*actions)
            )
        return made["Role"]["Arn"]

    def policy(self, name: str, *actions: str) -> str:
        made = self.iam.create_policy(PolicyName=name, PolicyDocument=allow(*actions))
        return made["Policy"]["Arn"]

    def deploy_guard(self, text: str | None = None) -> None:
        self.iam.create_policy(
            PolicyName=MANAGED["guard"], Path=PATH, PolicyDocument=text or text_of(guard())
        )

    def account(self) -> Account:
        sweep = sweep_roles(self.iam, self.said.append)
        assert sweep.complete
        return Account(ACCOUNT, "aws", sweep.roles)

    def details(self) -> str:
        """Every role with all that IAM has of it, as text that is compared to the byte."""
        answer = self.iam.get_account_authorization_details(Filter=["Role"])
        return json.dumps(answer["RoleDetailList"], default=str)

    def on(self, name: str) -> tuple[list[str], list[str]]:
        """What is attached to a role, and its inline policies."""
        attached = self.iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]
        inline = self.iam.list_role_policies(RoleName=name)["PolicyNames"]
        return [one["PolicyArn"] for one in attached], inline

    def decide(self, account: Account) -> Callable[[Sequence[Role]], Mapping[str, Standing]]:
        return lambda roles: decided(account, roles, now=NOW)

    def plan(self, *names: str, way: Way = "attach", account: Account | None = None) -> Plan:
        """A plan that gives these roles the guard, as ``plan`` would make it."""
        account = self.known = account or self.account()
        chosen = [role for role in account.roles if role.name in names]
        before = decided(account, chosen, now=NOW)
        after = decided(account, [guarded(role, way) for role in chosen], now=NOW)
        changes = [
            Change(
                role_arn=role.arn,
                role_name=role.name,
                role_id=role.role_id,
                seen=fingerprint(role),
                way=way,
                before=before[role.arn],
                after=after[role.arn],
            )
            for role in sorted(chosen, key=lambda role: names.index(role.name))
        ]
        return Plan(
            id="plan-20261123T030000Z-0123abcd",
            account_id=ACCOUNT,
            partition="aws",
            created_at=NOW,
            policy="guard",
            policy_arn=GUARD,
            policy_sha256=sha256_of(guard()),
            create_policy=False,
            complete=True,
            changes=tuple(changes),
            left=(),
        )

    def apply(
        self, plan: Plan, journal: Journal, *, reader: Reader | None = None, **more: Any
    ) -> list[Result]:
        account = self.known or self.account()
        return apply(
            plan,
            **{
                "iam": self.iam,
                "reader": reader or (self.eyes or self._reads)(),
                "journal": journal,
                "decide": self.decide(account),
                "document": guard(),
                "who": WHO,
                "clock": self.clock,
                "sleep": self.sleep,
                "progress": self.said.append,
                **more,
            },
        )

    def undo(
        self, plan: Plan, journal: Journal, *, reader: Reader | None = None, **more: Any
    ) -> list[Result]:
        account = self.known or self.account()
        return undo(
            plan.id,
            **{
                "iam": self.iam,
                "reader": reader or (self.eyes or self._reads)(),
                "journal": journal,
                "decide": self.decide(account),
                "who": WHO,
                "clock": self.clock,
                "sleep": self.sleep,
                "progress": self.said.append,
                **more,
            },
        )


def guarded(role: Role, way: Way) -> Role:
    if way == "attach":
        text = PolicyText(MANAGED["guard"], GUARD, "managed", guard())
        return replace(role, attached=(*role.attached, text))
    return replace(role, inline=(*role.inline, PolicyText(INLINE, None, "inline", guard())))


def outcomes(results: Sequence[Result]) -> dict[str, str]:
    return {result.role_name: result.outcome for result in results}


def told(results: Sequence[Result]) -> dict[str, tuple[str, str]]:
    return {one.role_name: (one.outcome, one.message) for one in results}


def steps(journal: Journal, plan: Plan, name: str) -> list[str]:
    return [entry.step for entry in journal.entries(plan.id) if entry.role_name == name]


def remembered(plan: Plan, path: Path) -> dict[str, tuple[bool, bool, bool, bool]]:
    """What the journal's file knows of each role of a plan: ours, confirmed, there, decided."""
    journal = FileJournal(path)
    found = {}
    for change in plan.changes:
        past = history(journal.entries(plan.id, change.role_arn), change.role_id)
        found[change.role_name] = (past.ours, past.confirmed, past.was_there, past.decided)
    return found


@contextmanager
def world(monkeypatch: pytest.MonkeyPatch, *, aws_managed: bool = False) -> Iterator[World]:
    """Give an empty account, whose session ``Fate`` can be attached to before clients are made.

    ``aws_managed``: with the 1,500 policies that are AWS's own, which takes a second.
    """
    for name in list(os.environ):
        if name.startswith("AWS_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    with mock_aws(config={"iam": {"load_aws_managed_policies": aws_managed}}):
        core = botocore.session.Session()
        core.register_component("data_loader", _LOADER)
        session = boto3.Session(botocore_session=core, region_name="us-east-1")
        yield World(session, session.client("iam", config=CONFIG))
