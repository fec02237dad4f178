"""The documents say what the program does."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

import auditor.report
from auditor.cli.status import FailOn
from auditor.report.interface import format_names
from tests.cli.conftest import run

DOCS = Path(__file__).parents[2] / "docs"
COMMANDS = (DOCS / "commands.md").read_text(encoding="utf-8")
REPORT = (DOCS / "report.md").read_text(encoding="utf-8")
SCHEMA = json.loads((Path(auditor.report.__file__).parent / "report-1.schema.json").read_text())


@pytest.mark.parametrize(
    "command", ["auditor", "auditor scan", "auditor evaluate", "auditor explain"]
)
def test_commands_quotes_the_help(command: str) -> None:
    """docs/commands.md has the help of every command, to the letter."""
    shown = run(*command.split()[1:], "--help").stdout.rstrip()
    assert f"$ {command} --help\n{shown}\n```" in COMMANDS


def test_every_choice_is_explained() -> None:
    """Each threshold and each format has its place in docs/commands.md."""
    for choice in (*FailOn.__args__, *format_names()):  # type: ignore[attr-defined]  # a Literal's values
        assert f"`{choice}`" in COMMANDS


def _fields(schema: object) -> set[str]:
    if isinstance(schema, list):
        return set().union(*map(_fields, schema))
    if not isinstance(schema, dict):
        return set()
    properties = schema.get("properties", {})
    own = set(properties) if isinstance(properties, dict) else set()
    return own.union(*map(_fields, schema.values()))


def test_every_field_is_explained() -> None:
    """Each field of the schema stands in docs/report.md."""
    fields = _fields(SCHEMA)
    assert {"verdict", "resources", "policy_arn", "unresolved_projects"} <= fields
    assert {field for field in fields if f"`{field}`" not in REPORT} == set()


def test_the_example_is_a_report() -> None:
    """The example in docs/report.md is valid."""
    found = re.search(r"```json\n(.*?)```", REPORT, re.DOTALL)
    assert found
    example: Any = json.loads(found[1])
    Draft202012Validator(SCHEMA).validate(example)
