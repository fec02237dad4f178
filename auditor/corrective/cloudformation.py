"""A policy as a CloudFormation template in YAML."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

from auditor.corrective.description import DESCRIPTION
from auditor.corrective.names import MANAGED, PATH
from auditor.corrective.quoting import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditor.corrective.documents import Document
    from auditor.corrective.names import PolicyName

_LOGICAL: Final[dict[PolicyName, str]] = {
    "guard": "SesSimulatorGuard",
    "sender": "SesSimulatorSender",
}


def to_cloudformation(document: Document, policy: PolicyName) -> str:
    """Return a CloudFormation template (YAML) with the policy as its one resource."""
    logical = _LOGICAL[policy]
    template = {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": DESCRIPTION[policy],
        "Resources": {
            logical: {
                "Type": "AWS::IAM::ManagedPolicy",
                "Properties": {
                    "ManagedPolicyName": MANAGED[policy],
                    "Path": PATH,
                    "Description": DESCRIPTION[policy],
                    "PolicyDocument": document,
                },
            }
        },
    }
    head = (
        "# To attach it, add this to the Properties of each AWS::IAM::Role in the template:",
        "#   ManagedPolicyArns:",
        f"#     - !Ref {logical}",
        "# Deploy it with --capabilities CAPABILITY_NAMED_IAM, because the policy has a name.",
    )
    return "\n".join((*head, *_yaml(template, 0))) + "\n"


def _yaml(value: object, depth: int) -> Iterator[str]:
    """Yield the lines of a mapping or a list in YAML's block style.

    Strings are always in double quotes and written out in ASCII, so that none is read as a date,
    a number or ``null``; keys are too, but for plain words.
    """
    pad = "  " * depth
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _entry(f"{pad}{_yaml_key(key)}:", inner, depth)
    else:
        assert isinstance(value, list)  # noqa: S101 - what else a document has is a scalar
        for inner in value:
            if isinstance(inner, dict) and inner:  # its first entry goes beside the dash
                first, *rest = _yaml(inner, depth + 1)
                yield f"{pad}- {first.lstrip()}"
                yield from rest
            else:
                yield from _entry(f"{pad}-", inner, depth)


def _entry(start: str, value: object, depth: int) -> Iterator[str]:
    """Yield a value after its key or its dash: scalars and empty things on the same line."""
    if isinstance(value, dict | list) and value:
        yield start
        yield from _yaml(value, depth + 1)
    elif isinstance(value, str):
        yield f"{start} {quoted(value)}"
    else:
        yield f"{start} {json.dumps(value)}"  # numbers, booleans, null, {} and [] are YAML too


def _yaml_key(key: str) -> str:
    # "Null" unquoted is null, "Yes" is true: https://yaml.org/type/bool.html
    words = {"null", "true", "false", "yes", "no", "on", "off", "y", "n"}
    plain = re.fullmatch(r"[A-Za-z][A-Za-z0-9]*", key) and key.lower() not in words
    return key if plain else quoted(key)
