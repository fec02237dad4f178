"""The two policies that the template makes are those that the auditor hands out, to the byte."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from chalice.package import YAMLTemplateSerializer

from auditor.corrective.documents import guard, sender
from auditor.corrective.names import MANAGED, PATH, PolicyName

RESOURCES: dict[str, Any] = YAMLTemplateSerializer().load_template(
    (Path(__file__).resolve().parents[2] / ".chalice" / "resources.yaml").read_text("utf-8"),
    "resources.yaml",
)["Resources"]


@pytest.mark.parametrize(
    ("resource", "policy", "document"),
    [("GuardPolicy", "guard", guard()), ("SenderPolicy", "sender", sender())],
)
def test_the_template_makes_the_policies_that_remediate_attaches(
    resource: str, policy: PolicyName, document: dict[str, object]
) -> None:
    """Names, path and text are the auditor's: ``remediate`` attaches no policy that differs."""
    made = RESOURCES[resource]["Properties"]

    assert made["PolicyDocument"] == document
    assert (made["Path"], made["ManagedPolicyName"]) == (PATH, MANAGED[policy])
