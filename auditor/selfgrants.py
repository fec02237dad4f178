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
    from collections.abc import Callable, Iterable, Iterator, Sequence

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
_ON_IDENTITIES: Final = (
    "ses:PutIdentityPolicy",
    "ses:CreateEmailIdentityPolicy",
    "ses:UpdateEmailIdentityPolicy",
)
"""In its own account an SES identity's policy grants by itself:
https://docs.aws.amazon.com/ses/latest/dg/sending-authorization.html"""
_RUNNERS: Final = {
    "codebuild.amazonaws.com": (("codebuild:CreateProject", "codebuild:UpdateProject"),
                                ("codebuild:StartBuild", "codebuild:StartBuildBatch")),
    "lambda.amazonaws.com": (("lambda:CreateFunction", "lambda:UpdateFunctionConfiguration"),),
    "ec2.amazonaws.com": (("ec2:RunInstances",),),
    "ecs-tasks.amazonaws.com": (("ecs:RegisterTaskDefinition",), ("ecs:RunTask",)),
    "cloudformation.amazonaws.com": (("cloudformation:CreateStack", "cloudformation:UpdateStack"),),
}  # fmt: skip
"""By service: groups of actions, one of each of which it takes to make the service run a role."""


class Exposed:
    """The roles of an account that can mail real people, looked for when first asked about."""

    def __init__(self, find: Callable[[], Iterable[Role]]) -> None:
        self._find = find
        self._roles: dict[str, Role] | None = None
        self._index = ArnIndex(())

    def matching(self, patterns: Sequence[str]) -> Iterator[Role]:
        """Yield the roles that patterns may match, by ARN."""
        if not patterns:
            return
        if self._roles is None:
            found = sorted(self._find(), key=lambda role: role.arn)
            self._roles = {role.arn: role for role in found}
            self._index = ArnIndex(self._roles)
        within = self._index.matching(patterns)
        arns = self._roles if within is None else sorted(within)
        yield from (self._roles[arn] for arn in arns)


def self_grants(role: Role, chains: Chains, exposed: Exposed) -> Iterator[Call]:
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
    for source in (*role.attached, *((role.boundary,) if role.boundary is not None else ())):
        if source.arn is not None and ":iam::aws:policy/" not in source.arn:
            for action in _ON_ITS_POLICIES:
                yield from ask(action, source.arn, ())
    granting = (call for action in _ON_IDENTITIES for call in _on_some(powers, action))
    yield from islice(granting, 1)
    yield from _rewriting_trust(role, powers, exposed)
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


def _passing(role: Role, powers: Powers, exposed: Exposed) -> Iterator[Call]:
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


def _rewriting_trust(role: Role, powers: Powers, exposed: Exposed) -> Iterator[Call]:
    """Yield at most one call that would let the role into an exposed one."""
    action = "iam:UpdateAssumeRolePolicy"
    for target in islice(exposed.matching(powers.patterns(action)), PASSED_MAX):
        if target.arn != role.arn:
            for call in _asked(powers, action, target.arn, facts_of(target)):
                yield call
                return


def _may_run(powers: Powers, action: str) -> bool:
    return next(_on_some(powers, action), None) is not None


def _on_some(powers: Powers, action: str) -> Iterator[Call]:
    """Yield at most one call of an action: on an example, or on one of each of its patterns."""
    if not powers.names(action):
        return
    service = action.partition(":")[0]
    caller = powers.caller
    kind = "identity/example.com" if service == "ses" else "example/example"
    plain = f"arn:{caller.partition}:{service}:us-east-1:{caller.account}:{kind}"
    examples = (
        text.replace("*", "example").replace("?", "x")
        for text in powers.patterns(action)
        if text.startswith("arn:")
    )
    for example in islice((plain, *examples), PASSED_MAX):
        for call in _asked(powers, action, example, ()):
            yield call
            return


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
