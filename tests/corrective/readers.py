"""Reads each form back to the document in it, by what the tool itself would read it with."""

from __future__ import annotations

import json

import pytest
import yaml

from auditor.corrective.documents import Document, guard, sender
from auditor.corrective.names import MANAGED, PATH, PolicyName
from auditor.corrective.scope import Scope
from tests.corrective import hcl

BOUND = Scope(("SendEmail", "SendTemplatedEmail"), ("example.com",), from_address="*@example.com")
POLICIES: dict[str, tuple[PolicyName, Document]] = {
    "guard": ("guard", guard()),
    "sender": ("sender", sender()),
    "bound": ("sender", sender(BOUND)),
}
EACH = pytest.mark.parametrize(("policy", "document"), POLICIES.values(), ids=POLICIES)


def from_json(text: str, _policy: PolicyName) -> object:
    return json.loads(text)


def from_cdk(text: str, policy: PolicyName) -> object:
    """https://docs.aws.amazon.com/cdk/api/v2/docs/aws-cdk-lib.aws_iam.ManagedPolicyProps.html"""
    props = json.loads(text)
    assert set(props) == {"managedPolicyName", "path", "description", "document"}
    assert (props["managedPolicyName"], props["path"]) == (MANAGED[policy], PATH)
    return props["document"]


def from_cloudformation(text: str, policy: PolicyName) -> object:
    (resource,) = yaml.safe_load(text)["Resources"].values()
    assert resource["Type"] == "AWS::IAM::ManagedPolicy"
    properties = resource["Properties"]
    assert (properties["ManagedPolicyName"], properties["Path"]) == (MANAGED[policy], PATH)
    return properties["PolicyDocument"]


def from_terraform(text: str, policy: PolicyName) -> object:
    label = MANAGED[policy].replace("-", "_")
    blocks = hcl.read(text)
    made = blocks.pop(("resource", "aws_iam_policy", label))
    assert (made["name"], made["path"]) == (MANAGED[policy], PATH)
    attached = blocks.pop(("resource", "aws_iam_role_policy_attachment", label))
    assert attached == {
        "for_each": f"reference var.{label}_roles",
        "role": "reference each.value",
        "policy_arn": f"reference aws_iam_policy.{label}.arn",
    }
    assert blocks.pop(("variable", f"{label}_roles"))["type"] == {"set": "reference string"}
    assert not blocks
    return hcl.attributes(made["policy"])["jsonencode"]


READERS = {
    "json": from_json,
    "cdk": from_cdk,
    "cloudformation": from_cloudformation,
    "terraform": from_terraform,
}
