"""Roles that may rewrite their own permissions, or make a service run an exposed role for them.

Such a role can undo any remedy that isn't a permissions boundary or an SCP. "Privilege escalation"
in the IAM User Guide's page on passing roles:
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html
"""

from __future__ import annotations

from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Final

from auditor.arnindex import ArnIndex
from auditor.chains import facts_of
from auditor.errors import PolicyError, Undecidable
from auditor.policy.parse import load

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from auditor.account import Role
    from auditor.chains import Chains
    from auditor.engine.powers import Call, Facts, Powers

_ON_ITSELF: Final = (
    "iam:PutRolePolicy",
    "iam:AttachRolePolicy",
    "iam:DeleteRolePolicy",
    "iam:DetachRolePolicy",
)
_ON_ITS_BOUNDARY: Final = ("iam:PutRolePermissionsBoundary", "iam:DeleteRolePermissionsBoundary")
_ON_ITS_POLICIES: Final = ("iam:CreatePolicyVersion", "iam:SetDefaultPolicyVersion")
_RUNNERS: Final = {
    "codebuild.amazonaws.com": (("codebuild:CreateProject", "codebuild:UpdateProject"),
                                ("codebuild:StartBuild", "codebuild:StartBuildBatch")),
    "lambda.amazonaws.com": (("lambda:CreateFunction", "lambda:UpdateFunctionConfiguration"),),
    "ec2.amazonaws.com": (("ec2:RunInstances",),),
    "ecs-tasks.amazonaws.com": (("ecs:RegisterTaskDefinition",), ("ecs:RunTask",)),
    "cloudformation.amazonaws.com": (("cloudformation:CreateStack", "cloudformation:UpdateStack"),),
}  # fmt: skip
"""By service: groups of actions, one of each of which it takes to make the service run a role."""


class Passable:
    """The exposed roles of an account, by the patterns of Allows of ``iam:PassRole``."""

    def __init__(self, exposed: Iterable[Role]) -> None:
        self._roles = {role.arn: role for role in sorted(exposed, key=lambda role: role.arn)}
        self._index = ArnIndex(self._roles)

    def matching(self, patterns: Iterable[str]) -> Iterator[Role]:
        """Yield the roles that patterns may match, by ARN."""
        within = self._index.matching(patterns)
        arns = self._roles if within is None else sorted(within)
        yield from (self._roles[arn] for arn in arns)


def self_grants(role: Role, chains: Chains, exposed: Passable) -> Iterator[Call]:
    """Yield the calls by which a role may rewrite its own permissions, or run an exposed role."""
    powers = chains.powers(role)
    if powers is None:
        return
    limit = role.boundary.arn if role.boundary is not None else None
    own = (*facts_of(role), ("iam:permissionsboundary", limit))
    ask = partial(_asked, powers)
    for action in _ON_ITSELF:
        yield from ask(action, role.arn, own)
    if role.boundary is not None:
        for action in _ON_ITS_BOUNDARY:
            yield from ask(action, role.arn, own[:-1])
    for source in role.attached:
        if source.kind == "managed" and source.arn is not None:
            for action in _ON_ITS_POLICIES:
                yield from ask(action, source.arn, ())
    yield from _passing(role, powers, exposed)


def _asked(powers: Powers, action: str, resource: str, facts: Facts) -> Iterator[Call]:
    try:
        call = powers.call(action, resource, facts)
    except Undecidable:
        return  # a remark beside the verdict: one that can't be decided isn't made
    if call is not None:
        yield call


PASSED_MAX: Final = 50
"""Exposed roles that are tried for one that a role may pass on: a remark needs but one."""


def _passing(role: Role, powers: Powers, exposed: Passable) -> Iterator[Call]:
    """Yield at most one PassRole: of an exposed role, to a service that can be made to run it."""
    if not powers.names("iam:PassRole"):
        return
    services = [
        service
        for service, groups in _RUNNERS.items()
        if all(any(_may_run(powers, name) for name in group) for group in groups)
    ]
    if not services:
        return
    targets = exposed.matching(powers.patterns("iam:PassRole"))
    for target in islice(targets, PASSED_MAX):
        for service in services:
            if target.arn != role.arn and _trusts(target, service):
                facts: Facts = (("iam:passedtoservice", service),)
                for call in _asked(powers, "iam:PassRole", target.arn, facts):
                    yield call
                    return


def _may_run(powers: Powers, action: str) -> bool:
    """Tell whether a role may call an action on some resource: an example of each pattern."""
    service = action.partition(":")[0]
    caller = powers.caller
    plain = f"arn:{caller.partition}:{service}:us-east-1:{caller.account}:example/example"
    examples = [
        text.replace("*", "example").replace("?", "x")
        for layer in powers.layers[:1]
        for placed in layer.documents
        for statement in placed.document.statements
        if statement.allows and not statement.not_resource
        for text in statement.resources
        if text.startswith("arn:") and f":{service}:" in text
    ]
    return any(True for example in (plain, *examples) for _ in _asked(powers, action, example, ()))


def _trusts(target: Role, service: str) -> bool:
    try:
        raw = load(target.trust.document).get("Statement")
    except PolicyError:
        return False
    for entry in raw if isinstance(raw, list) else [raw]:
        principal = entry.get("Principal") if isinstance(entry, dict) else None
        named = principal.get("Service") if isinstance(principal, dict) else None
        if service in (named if isinstance(named, list) else [named]):
            return True
    return False
