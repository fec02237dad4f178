"""A role to decide, as a value: its documents, its boundary and its tags."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from auditor.account import Account, PolicyText, Role
from auditor.engine.decide import decide
from auditor.standing import Standing

if TYPE_CHECKING:
    from auditor.engine.caller import Caller
    from auditor.engine.decision import Decision
    from auditor.engine.layers import Layer

Json = dict[str, object]

NOW = 1_795_402_800
"""2026-11-23T03:00:00Z."""
ACCOUNT = "123456789012"
OTHER_ACCOUNT = "999988887777"
SIMULATOR = "*@simulator.amazonses.com"
TRUST: Json = {
    "Version": "2012-10-17",
    "Statement": {
        "Effect": "Allow",
        "Principal": {"Service": "codebuild.amazonaws.com"},
        "Action": "sts:AssumeRole",
    },
}


class Case(NamedTuple):
    """One role. ``documents`` are its inline policies, ``boundary`` its boundary or None."""

    documents: tuple[object, ...]
    boundary: object = None
    tags: tuple[tuple[str, str], ...] = ()
    partition: str = "aws"

    def role(self, name: str = "build") -> Role:
        inline = tuple(
            PolicyText(f"policy-{at}", None, "inline", document)
            for at, document in enumerate(self.documents)
        )
        limit = None
        if self.boundary is not None:
            arn = f"arn:{self.partition}:iam::{ACCOUNT}:policy/limit"
            limit = PolicyText("limit", arn, "boundary", self.boundary)
        return Role(
            arn=f"arn:{self.partition}:iam::{ACCOUNT}:role/{name}",
            name=name,
            role_id="AROAEXAMPLE",
            tags=dict(self.tags),
            trust=PolicyText("trust", None, "trust", TRUST),
            inline=inline,
            attached=(),
            boundary=limit,
        )

    def _standing(self) -> Standing:
        return Standing(Account(ACCOUNT, self.partition, ()), NOW)

    @property
    def caller(self) -> Caller:
        return self._standing().caller(self.role())

    @property
    def layers(self) -> tuple[Layer, ...]:
        return self._standing().layers(self.role())

    def decide(self) -> Decision:
        return decide(self.caller, self.layers)


def document(*statements: Json, version: str | None = "2012-10-17") -> Json:
    """Return a policy document of these statements."""
    made: Json = {} if version is None else {"Version": version}
    return {**made, "Statement": list(statements)}


def allow(action: object = "ses:*", resource: object = "*", **condition: object) -> Json:
    """Return an Allow; keywords are its condition's operators (``__`` stands for ``:``)."""
    return _statement("Allow", action, resource, condition)


def deny(action: object = "ses:*", resource: object = "*", **condition: object) -> Json:
    """Return a Deny, as ``allow`` does."""
    return _statement("Deny", action, resource, condition)


def _statement(effect: str, action: object, resource: object, condition: Json) -> Json:
    made: Json = {"Effect": effect, "Action": action, "Resource": resource}
    if condition:
        made["Condition"] = {name.replace("__", ":"): keys for name, keys in condition.items()}
    return made


def verdict(case: Case) -> str:
    """Return a verdict in one word: ``exposed`` comes with its certainty."""
    found = case.decide()
    return f"{found.verdict} {found.certainty}" if found.certainty else found.verdict


def identity(*statements: Json, **options: object) -> Case:
    """Return a role with one inline policy of these statements."""
    return Case((document(*statements),), **options)  # type: ignore[arg-type]  # test keywords


ACCESS = {"no_send": 0, "simulator_only": 1, "exposed possible": 2, "exposed proven": 3}
"""Verdicts by the access that they tell of; ``undetermined`` has no place among them."""
