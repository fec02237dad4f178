"""What a role is asked about whether it may undo a remedy: by rewriting its own permissions, or by
making a service run an exposed role for it.

"Privilege escalation" in the IAM User Guide's page on passing roles:
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html
"""

from __future__ import annotations

from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Final

from auditor.account import PolicyText
from auditor.arnindex import ArnIndex
from auditor.engine.decide import decide
from auditor.engine.grants import COVERED
from auditor.engine.layers import Layer, Placed
from auditor.engine.powers import facts_of
from auditor.errors import PolicyError, Undecidable
from auditor.policy.parse import load, parse
from auditor.rules.making import HANDING_ON, TRUST_REWRITING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from auditor.account import Role
    from auditor.engine.caller import Caller
    from auditor.engine.powers import Call, Facts, Powers

_ON_ITSELF: Final = (
    "iam:PutRolePolicy",
    "iam:AttachRolePolicy",
    "iam:DeleteRolePolicy",
    "iam:DetachRolePolicy",
)
_ON_ITS_BOUNDARY: Final = ("iam:PutRolePermissionsBoundary", "iam:DeleteRolePermissionsBoundary")
_ON_ITS_POLICIES: Final = ("iam:CreatePolicyVersion", "iam:SetDefaultPolicyVersion")
ON_IDENTITIES: Final = (
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


ON_OWN: Final = (*_ON_ITSELF, *_ON_ITS_BOUNDARY, *_ON_ITS_POLICIES)
ASKED: Final = tuple(
    dict.fromkeys(
        (
            *(*ON_OWN, *ON_IDENTITIES, HANDING_ON, TRUST_REWRITING),
            *(name for groups in _RUNNERS.values() for group in groups for name in group),
        )
    )
)
"""Every action that is asked about: what doesn't name one of them has no part in an answer."""


def own_policies(role: Role) -> list[str]:
    """Return the ARNs of a role's managed policies, its boundary last, but for AWS's own."""
    managed = (*role.attached, *((role.boundary,) if role.boundary is not None else ()))
    return [
        source.arn
        for source in managed
        if source.arn is not None and ":iam::aws:policy/" not in source.arn
    ]


_EVERY_GRANT: Final = {
    "Version": "2012-10-17",
    "Statement": {"Effect": "Allow", "Action": sorted(COVERED), "Resource": "*"},
}


def grant_helps(caller: Caller, layers: Sequence[Layer]) -> bool:
    """Tell whether a role might mail real people if SES identities granted it all they can.

    ``layers`` are its own. Such a grant needs no identity policy of the role, and one that names
    the role's session no boundary that allows it; a Deny in either, and the SCPs, hold against it:
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-basics-single-account.html
    What can't be decided might help.
    """
    text = PolicyText("grant", None, "inline", _EVERY_GRANT)
    grant = Placed(text, parse(_EVERY_GRANT))
    granted = [
        layer if layer.name == "scp" else layer._replace(documents=(*layer.documents, grant))
        for layer in layers
    ]
    return decide(caller, granted).verdict in ("exposed", "undetermined")


def self_grants(
    role: Role, powers: Powers, exposed: Exposed, met: set[str], *, granted: bool = True
) -> Iterator[Call]:
    """Yield the calls by which a role may rewrite its own permissions, or run an exposed role.

    ``met`` takes up the ARNs of the exposed roles that were looked at on the way. ``granted``: what
    an SES identity grants the role would help it (see ``grant_helps``).
    """
    limit = role.boundary.arn if role.boundary is not None else None
    own = (*facts_of(role), ("iam:permissionsboundary", limit))
    ask = partial(_asked, powers)
    for action in _ON_ITSELF:
        yield from ask(action, role.arn, own)
    if role.boundary is not None:
        for action in _ON_ITS_BOUNDARY:
            yield from ask(action, role.arn, own[:-1])
    for arn in own_policies(role):
        for action in _ON_ITS_POLICIES:
            yield from ask(action, arn, ())
    if granted:
        granting = (call for action in ON_IDENTITIES for call in _on_some(powers, action))
        yield from islice(granting, 1)
    yield from _rewriting_trust(role, powers, exposed, met)
    yield from _passing(role, powers, exposed, met)


def _asked(powers: Powers, action: str, resource: str, facts: Facts) -> Iterator[Call]:
    try:
        call = powers.call(action, resource, facts)
    except Undecidable:
        return  # a remark beside the verdict: one that can't be decided isn't made
    if call is not None:
        yield call


PASSED_MAX: Final = 50
"""Exposed roles that are tried for one that a role may pass on: a remark needs but one."""


def _passing(role: Role, powers: Powers, exposed: Exposed, met: set[str]) -> Iterator[Call]:
    """Yield at most one PassRole: of an exposed role, to a service that can be made to run it."""
    if not powers.names(HANDING_ON):
        return
    services = [
        service
        for service, groups in _RUNNERS.items()
        if all(any(_may_run(powers, name) for name in group) for group in groups)
    ]
    if not services:
        return
    for target in islice(exposed.matching(powers.patterns(HANDING_ON)), PASSED_MAX):
        met.add(target.arn)
        for service in services:
            if target.arn != role.arn and _trusts(target, service):
                facts: Facts = (("iam:passedtoservice", service),)
                for call in _asked(powers, HANDING_ON, target.arn, facts):
                    yield call
                    return


def _rewriting_trust(role: Role, powers: Powers, exposed: Exposed, met: set[str]) -> Iterator[Call]:
    """Yield at most one call that would let the role into an exposed one."""
    for target in islice(exposed.matching(powers.patterns(TRUST_REWRITING)), PASSED_MAX):
        met.add(target.arn)
        if target.arn != role.arn:
            for call in _asked(powers, TRUST_REWRITING, target.arn, facts_of(target)):
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
