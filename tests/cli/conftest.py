"""The command line as users run it, and a snapshot for it to read."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

SIMULATOR = "*@simulator.amazonses.com"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "codebuild.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ],
}


def role(name: str, **statement: object) -> dict[str, Any]:
    """A CodeBuild role with one inline statement, as authorization details show it."""
    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]}
    return {
        "Path": "/",
        "RoleName": name,
        "RoleId": "AROA" + name.upper().replace("-", ""),
        "Arn": f"arn:aws:iam::123456789012:role/{name}",
        "AssumeRolePolicyDocument": TRUST,
        "RolePolicyList": [{"PolicyName": "inline", "PolicyDocument": document}],
        "AttachedManagedPolicies": [],
        "InstanceProfileList": [],
        "Tags": [],
    }


OPEN = role("open", Action="ses:SendEmail", Resource="*")
POSSIBLE = role(
    "possible",
    Action="ses:SendEmail",
    Resource="*",
    Condition={"StringLike": {"ses:Recipients": "*@example.com"}},
)
SAFE = role(
    "safe",
    Action=["ses:SendEmail", "ses:SendRawEmail"],
    Resource="*",
    Condition={
        "ForAllValues:StringLike": {"ses:Recipients": SIMULATOR},
        "Null": {"ses:Recipients": "false"},
    },
)
NOTHING = role("nothing", Action="s3:GetObject", Resource="*")
ODD = role("odd", Action="ses:*", Resource="*", Condition={"StringLikes": {"ses:Recipients": "*"}})
WINDOW = role(
    "window",
    Action="ses:SendEmail",
    Resource="*",
    Condition={"DateLessThan": {"aws:CurrentTime": "2026-01-01T00:00:00Z"}},
)


def page(*roles: dict[str, Any]) -> str:
    """A snapshot with these roles."""
    return json.dumps(
        {"RoleDetailList": roles, "UserDetailList": [], "GroupDetailList": [], "Policies": []}
    )


@pytest.fixture
def snapshot(tmp_path: Path) -> Callable[..., str]:
    """Write a snapshot with the given roles; its path."""

    def write(*roles: dict[str, Any]) -> str:
        path = tmp_path / "snapshot.json"
        path.write_text(page(*roles), encoding="utf-8")
        return str(path)

    return write


CLEAN = {
    key: value
    for key, value in os.environ.items()
    if not key.startswith("AWS_") and key not in {"NO_COLOR", "COLUMNS", "TERM", "FORCE_COLOR"}
}
SCRIPT = str(Path(sys.executable).with_name("auditor"))


def run(
    *args: str,
    command: tuple[str, ...] = (sys.executable, "-m", "auditor"),
    stdin: str = "",
    cwd: Path | None = None,
    environ: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run the command line in a process of its own, without this one's AWS settings."""
    return subprocess.run(  # noqa: S603 - our own program
        [*command, *args],
        input=stdin,
        capture_output=True,
        text=True,
        encoding="utf-8",
        env=CLEAN | dict(environ or {}),
        cwd=cwd,
        timeout=60,
        check=False,
    )
