"""Chalice ignores what it doesn't know in its configuration, so a test reads it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from chalice.config import Config

from app import app
from chalicelib.settings import PREFIX, Settings

CHALICE = Path(__file__).resolve().parents[2] / ".chalice"
CONFIG: dict[str, Any] = json.loads((CHALICE / "config.json").read_text(encoding="utf-8"))
FUNCTIONS = set(app.handler_map)

# Chalice reads each setting through a property of its Config class; one has another name there.
# https://aws.github.io/chalice/topics/configfile.html
KNOWN = {name for name, value in vars(Config).items() if isinstance(value, property)} | {"xray"}
# Read at the top only, or set by Chalice itself.
TOP_ONLY = {"version", "app_name", "stages"}
PER_FUNCTION = {
    *("autogen_policy", "iam_policy_file", "iam_role_arn", "manage_iam_role", "layers"),
    *("lambda_memory_size", "lambda_timeout", "reserved_concurrency", "xray", "tags"),
    *("environment_variables", "security_group_ids", "subnet_ids", "log_retention_in_days"),
}


def test_every_key_is_one_that_chalice_reads() -> None:
    """A misspelt key would be dropped silently: no such key is in the file."""
    assert set(CONFIG) <= KNOWN | TOP_ONLY
    for stage in CONFIG["stages"].values():
        assert set(stage) <= (KNOWN - TOP_ONLY) | {"lambda_functions"}
        for function in stage["lambda_functions"].values():
            assert set(function) <= PER_FUNCTION
    assert PER_FUNCTION <= KNOWN


def test_app_name_is_the_app() -> None:
    """The configuration and the code name the same app."""
    assert CONFIG["app_name"] == app.app_name


@pytest.mark.parametrize("stage", CONFIG["stages"])
def test_every_function_has_its_own_policy(stage: str) -> None:
    """Without autogen_policy false and a file, functions would share one logs-only role."""
    functions = CONFIG["stages"][stage]["lambda_functions"]

    assert set(functions) == FUNCTIONS
    for settings in functions.values():
        assert settings["autogen_policy"] is False
        assert (CHALICE / settings["iam_policy_file"]).is_file()
    files = [settings["iam_policy_file"] for settings in functions.values()]
    assert len(set(files)) == len(files)


@pytest.mark.parametrize("stage", CONFIG["stages"])
def test_environment_values_are_strings_that_the_settings_know(stage: str) -> None:
    """Lambda's environment holds strings, and each AUDITOR_ variable is a setting."""
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    for name, value in CONFIG["stages"][stage]["environment_variables"].items():
        assert isinstance(value, str)
        assert name in known or not name.startswith(PREFIX)
