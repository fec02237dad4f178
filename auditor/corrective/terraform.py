"""A policy as Terraform configuration."""

from __future__ import annotations

import json
import re
from itertools import groupby, zip_longest
from typing import TYPE_CHECKING

from auditor.corrective.description import DESCRIPTION
from auditor.corrective.names import MANAGED, PATH
from auditor.corrective.quoting import escaped

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from auditor.corrective.documents import Document
    from auditor.corrective.names import PolicyName


def to_terraform(document: Document, policy: PolicyName) -> str:
    """Return Terraform configuration: the policy, and its attachment to roles named elsewhere."""
    label = MANAGED[policy].replace("-", "_")
    lines = (
        f'variable "{label}_roles" {{',
        f'  description = "Names of the roles that {MANAGED[policy]} is attached to."',
        "  type        = set(string)",
        "}",
        "",
        f'resource "aws_iam_policy" "{label}" {{',
        f"  name        = {_hcl_string(MANAGED[policy])}",
        f"  path        = {_hcl_string(PATH)}",
        f"  description = {_hcl_string(DESCRIPTION[policy])}",
        "",
        f"  policy = jsonencode({_hcl(document, 1)})",
        "}",
        "",
        f'resource "aws_iam_role_policy_attachment" "{label}" {{',
        f"  for_each   = var.{label}_roles",
        "  role       = each.value",
        f"  policy_arn = aws_iam_policy.{label}.arn",
        "}",
    )
    return "\n".join(lines) + "\n"


def _hcl(value: object, depth: int) -> str:
    """Return a value as an HCL expression; keys are aligned as in Terraform's own examples."""
    inner, outer = "  " * (depth + 1), "  " * depth
    if isinstance(value, dict) and value:
        rows = _aligned([(_hcl_key(key), _hcl(one, depth + 1)) for key, one in value.items()])
        return "{\n" + "".join(f"{inner}{row}\n" for row in rows) + outer + "}"
    if isinstance(value, list) and value:
        return "[\n" + "".join(f"{inner}{_hcl(one, depth + 1)},\n" for one in value) + outer + "]"
    return _hcl_string(value) if isinstance(value, str) else json.dumps(value)


def _aligned(pairs: Sequence[tuple[str, str]]) -> Iterator[str]:
    """Yield ``key = value``, the equals signs of neighbouring one-line values under each other."""
    for several, run in groupby(pairs, lambda pair: "\n" in pair[1]):
        neighbours = list(run)
        width = 0 if several else max(len(key) for key, _ in neighbours)
        yield from (f"{key:<{width}} = {value}" for key, value in neighbours)


def _hcl_key(key: str) -> str:
    # a word of the language ("null", "for") would be read as that, and none has a capital
    return key if re.fullmatch(r"[A-Z][A-Za-z0-9_]*", key) else _hcl_string(key)


def _hcl_string(text: str) -> str:
    """Return a string without a template in it: ``${`` and ``%{`` are doubled.

    A sign before those is written as its number, since three of them in a row could be read in
    two ways: https://github.com/hashicorp/hcl/blob/main/hclsyntax/spec.md#template-literals
    """
    out = []
    for char, following in zip_longest(text, text[1:], fillvalue=""):
        if char in "$%" and following == "{":
            out.append(char * 2)
        elif char in "$%" and following in ("$", "%"):
            out.append(f"\\U{ord(char):08x}")
        else:
            out.append(escaped(char))
    return '"' + "".join(out) + '"'
