"""What to know before a role is changed: whose template it is in, and who could undo the change."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from auditor.corrective.names import MANAGED
from auditor.corrective.quoting import quoted
from auditor.engine.powers import ASSUME_ROLE
from auditor.remediate.wording import listed, remark

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from auditor.account import Role
    from auditor.corrective.names import PolicyName
    from auditor.findings import RoleReport
    from auditor.remediate.model import Plan, Proof, Remark, Way
    from auditor.undoing import Undoing

CLOSES: Final = "closes-excepted"
"""The code of a warning that a change closes what an exception covers (``remediate.asked``)."""
_KEYS: Final = frozenset(
    ("managedby", "createdby", "provisioner", "provisionedby", "deployedby", "iac", "tool")
)
"""Keys, without hyphens and the like, that people customarily say the tool under."""
_NAMES: Final = {"terraform": "terraform", "opentofu": "terraform", "pulumi": "pulumi"}
_MAKING: Final = frozenset(("iam:CreateUser", "iam:CreateRole"))
_OFF: Final = frozenset(("", "false", "no", "0"))
_SHOWN: Final = 128
"""Characters of a tag's value in a message; IAM takes up to 256."""


def warnings(
    role: Role,
    reported: RoleReport,
    way: Way,
    undoing: Undoing,
    proofs: tuple[Proof, ...],
    policy: PolicyName,
    arn: str,
) -> Iterator[Remark]:
    """Yield what to know about the change of one role."""
    yield from _template(role, policy, arn)
    yield from undoable(undoing)
    if way == "inline":
        text = "its quota of managed policies is full, so the same text is put as an inline policy"
        yield remark("inline", f"{text} named {MANAGED[policy]}.")
    if reported.certainty == "possible":
        text = "whether it is exposed depends on what AWS doesn't document"
        yield remark("possible", f"{text}: it is possible rather than proven.")
    for note in reported.notes:
        yield remark("note", f"not everything about it could be read or decided: {note}")
    lost = [one.action for one in proofs if one.simulator_before and not one.simulator_after]
    if lost:
        text = f"it reaches the mailbox simulator by {listed(lost)} now"
        yield remark("simulator-lost", f"{text}, and doesn't after the change.")


def closing(plan: Plan) -> int:
    """Return how many changes of a plan close what an exception covers."""
    return sum(any(each.code == CLOSES for each in one.warnings) for one in plan.changes)


def undoable(undoing: Undoing) -> Iterator[Remark]:
    """Yield who could take the change away again, or why nobody can tell."""
    found = undoing.found
    held = "only a permissions boundary that it can't change, or an SCP, would hold"
    if found is not None:
        actions = listed(dict.fromkeys(call.action for call in found.calls))
        if _MAKING & {call.action for call in found.calls}:
            actions = f"by way of somebody of its own making: {actions}"
        if not found.roles:
            text = f"it may itself undo this ({actions}): {held}."
        else:
            way = ", then ".join(map(_step, found.steps, (role.name for role in found.roles)))
            text = f"it may undo this through another role: {way}, which may undo it ({actions})"
            text += f": {held}."
        yield remark("undoable", text)
    elif undoing.doubts:
        why = "; ".join(undoing.doubts)
        yield remark("undoable-unknown", f"whether it may undo this could not be told: {why}.")


def _step(action: str, name: str) -> str:
    if action == ASSUME_ROLE:
        return f"it may assume {name} ({action})"
    return f"it may get to {name} ({action})"


def _template(role: Role, policy: PolicyName, arn: str) -> Iterator[Remark]:
    """Yield which tool looks after a role, with what to put into its template instead."""
    for code, name, shown in _tools(role.tags):
        text = f"it looks managed by {name} ({shown}), whose next deployment may undo this"
        yield remark(
            code, f"{text}: put it there instead.", _SNIPPETS[code](role.name, policy, arn)
        )
        return  # one template is enough to look into


def _tools(tags: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    """Yield code, name and the tag that tells, the surest first.

    CloudFormation sets its own tags, CDK's stacks included:
    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-properties-resource-tags.html
    Terraform and Pulumi set none by themselves; people do.
    """
    found = sorted(tags.items())
    for key, value in found:
        low = key.lower()
        if low.startswith(("aws:cdk:", "aws-cdk:", "cdk:")):
            yield "cdk", "CDK", _tag(key, value)
    for key, value in found:
        if key.lower() == "aws:cloudformation:stack-name":
            yield "cloudformation", "CloudFormation", f"stack {value[:_SHOWN]}"
    for key, value in found:
        if key.lower().startswith("aws:cloudformation:"):
            yield "cloudformation", "CloudFormation", _tag(key, value)
    for key, value in found:
        code = _customary(key.lower(), value.lower())
        if code:
            yield code, code.capitalize(), _tag(key, value)


def _customary(key: str, value: str) -> str | None:
    """Return the tool that a tag in lower case tells of."""
    plain = "".join(char for char in key if char.isalnum())
    for word, code in _NAMES.items():
        if word in value and plain in _KEYS:
            return code
        if (plain == word or key.startswith(f"{word}:")) and value not in _OFF:
            return code
    return "cdk" if plain in _KEYS and value in ("cdk", "aws-cdk", "aws cdk") else None


def _tag(key: str, value: str) -> str:
    return f"tag {key[:_SHOWN]} = {value[:_SHOWN]}"


def _cloudformation(_name: str, _policy: PolicyName, arn: str) -> str:
    return f"ManagedPolicyArns:\n  - {quoted(arn)}\n"


def _terraform(name: str, policy: PolicyName, arn: str) -> str:
    label = MANAGED[policy].replace("-", "_")
    return (
        f'resource "aws_iam_role_policy_attachment" "{label}" {{\n'
        f"  role       = {_hcl(name)}\n  policy_arn = {_hcl(arn)}\n}}\n"
    )


def _hcl(text: str) -> str:
    """Return a string as HCL reads it: ``${`` and ``%{`` would start a template.

    https://github.com/hashicorp/hcl/blob/main/hclsyntax/spec.md#template-expressions
    """
    return quoted(text).replace("${", "$${").replace("%{", "%%{")


def _cdk(_name: str, policy: PolicyName, arn: str) -> str:
    title = "".join(part.capitalize() for part in MANAGED[policy].split("-"))
    return (
        "role.addManagedPolicy(iam.ManagedPolicy.fromManagedPolicyArn(\n"
        f"  this, {json.dumps(title)}, {json.dumps(arn)}));\n"
    )


def _pulumi(name: str, policy: PolicyName, arn: str) -> str:
    return (
        f"new aws.iam.RolePolicyAttachment({json.dumps(MANAGED[policy])}, {{\n"
        f"  role: {json.dumps(name)},\n  policyArn: {json.dumps(arn)},\n}});\n"
    )


_SNIPPETS: Final = {
    "cloudformation": _cloudformation,
    "cdk": _cdk,
    "terraform": _terraform,
    "pulumi": _pulumi,
}
