"""The floors of the house: imports point down only. Read from the sources, as they stand."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parent.parent

# From the ground up; a name stands for a module or for a package with all that is in it. What
# stands on one line may import each other, unless it is in SIBLINGS.
# ``account`` and ``findings`` are plain values that every floor hands on: they stand on the ground,
# and import nothing of ours (beside each other) at run time or for types.
FLOORS: tuple[tuple[str, ...], ...] = (
    (
        "auditor.errors",
        "auditor.text",
        "auditor.wholefile",
        "auditor.globs",
        "auditor.arnindex",
        "auditor.languages",
        "auditor.automata",
        "auditor.hosts",
        "auditor.domains",
        "auditor.actions",
        "auditor.account",
        "auditor.findings",
        "auditor.lasting",
    ),
    ("auditor.policy", "auditor.corrective"),
    ("auditor.engine",),
    ("auditor.rules",),
    ("auditor.scope",),
    ("auditor.standing", "auditor.closed"),
    ("auditor.judging",),
    ("auditor.chains",),
    ("auditor.selfgrants",),
    ("auditor.undoing",),
    ("auditor.audit",),
    ("auditor.life", "auditor.looked", "auditor.exceptions", "auditor.exceptionfile"),
    (
        "auditor.collect",
        "auditor.report",
        "auditor.notify",
        "auditor.remediate",
        "auditor.explain",
        "auditor.denial",
        "auditor.history",
        "auditor.smoke",
    ),
    ("auditor.cli",),
    ("auditor.__main__",),
    ("chalicelib",),
    ("app",),
)
SIBLINGS = frozenset(next(names for names in FLOORS if "auditor.collect" in names))
"""Packages of one floor that never import each other: who calls them passes in what they need."""

NEVER = {("chalicelib", "auditor.cli"), ("chalicelib", "auditor.__main__")}
"""Down, and still forbidden: the deployed package has no command line."""

AWS = {"boto3", "botocore"}
OUTSIDE = {
    "auditor.collect": AWS,
    "auditor.notify": AWS | {"slack_sdk"},
    "auditor.remediate": AWS | {"pydantic", "rich"},
    "auditor.report": {"rich", "jinja2", "markupsafe"},
    "auditor.explain": {"rich"},
    "auditor.history": AWS | {"pydantic"},
    "auditor.smoke": AWS,
    "auditor.exceptionfile": {"yaml"},
    "auditor.cli": {"rich", "typer"},
    "chalicelib": AWS | {"aws_lambda_powertools", "pydantic", "pydantic_core"},
    "app": {"chalice"},
}
"""What each floor may import beside the standard library. Whoever isn't named: nothing."""

DYNAMIC = {"auditor.report.interface"}
"""Modules that import by a name made at run time: report formats are found in their folder."""


class Import(NamedTuple):
    """One import: who imports what, and in which line."""

    source: str
    target: str
    line: int


def module_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def sources() -> dict[str, Path]:
    files = [ROOT / "app.py", *ROOT.glob("auditor/**/*.py"), *ROOT.glob("chalicelib/**/*.py")]
    return {module_of(path): path for path in files}


def imports(module: str, text: str, *, package: bool) -> list[Import]:
    """Return every import of a source, those inside functions and for type checkers included."""
    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found += [Import(module, alias.name, node.lineno) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                up = module.split(".")
                kept = up[: len(up) - node.level + package]
                base = ".".join([*kept, base] if base else kept)
            # "from auditor import audit" imports auditor.audit
            found += [Import(module, f"{base}.{alias.name}", node.lineno) for alias in node.names]
    return found


def floor_of(module: str) -> tuple[int, str] | None:
    """Return the number and the name of the floor that a module stands on."""
    return next(
        (
            (number, name)
            for number, names in enumerate(FLOORS)
            for name in names
            if f"{module}.".startswith(f"{name}.")
        ),
        None,
    )


def problem(one: Import) -> str | None:
    """Return what is wrong with an import, or None."""
    source, target = floor_of(one.source), floor_of(one.target)
    top = one.target.split(".")[0]
    where = f"{one.source}:{one.line} imports {one.target}"
    if top in ("auditor", "chalicelib", "app"):
        if target is None:  # the package's own name and version
            return (
                None if one.target in ("auditor", "auditor.__version__") else f"{where}: no floor"
            )
        if source is None:
            return f"{where}: the importer stands on no floor"
        if source[1] == target[1]:
            return None
        apart = {source[1], target[1]} <= SIBLINGS
        if target[0] > source[0] or apart or (source[1], target[1]) in NEVER:
            return f"{where}: not below it"
        return None
    if top in sys.stdlib_module_names:
        return None
    allowed = OUTSIDE.get(source[1] if source else "", set())
    stub = top.startswith("mypy_boto3_") and allowed >= AWS
    return None if top in allowed or stub else f"{where}: not a library of this floor"


def everything() -> list[Import]:
    return [
        one
        for module, path in sources().items()
        for one in imports(module, path.read_text("utf-8"), package=path.stem == "__init__")
    ]


def test_imports_point_down() -> None:
    """No module imports one that stands above or beside it, nor a library its floor doesn't use."""
    assert [text for one in everything() if (text := problem(one))] == []


def test_every_module_has_a_floor() -> None:
    """A new module must be put on a floor; the package's own ``__init__`` holds its version."""
    assert [name for name in sources() if floor_of(name) is None] == ["auditor"]


def test_no_import_goes_unseen() -> None:
    """Nobody imports by a computed name, except where formats are found by theirs."""
    hidden = {"import_module", "__import__", "exec", "eval"}
    found = {
        module
        for module, path in sources().items()
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call)
        and (getattr(node.func, "id", None) or getattr(node.func, "attr", None)) in hidden
    }

    assert found == DYNAMIC


def test_no_cycles() -> None:
    """Modules don't import each other in a circle (types aside), within one floor either."""
    graph = {module: runtime_targets(module, path) for module, path in sources().items()}
    done: set[str] = set()

    def visit(module: str, trail: tuple[str, ...]) -> None:
        assert module not in trail, " -> ".join([*trail, module])
        if module not in done:
            for target in graph[module]:
                visit(target, (*trail, module))
            done.add(module)

    for module in graph:
        visit(module, ())


def runtime_targets(module: str, path: Path) -> list[str]:
    """Return the modules of ours that are imported when this one is."""
    top: list[ast.stmt] = [
        node
        for node in ast.parse(path.read_text("utf-8")).body
        if isinstance(node, ast.Import | ast.ImportFrom)  # those in "if TYPE_CHECKING" are inside
    ]
    text = ast.unparse(ast.Module(top, []))
    known = sources()
    names = [
        name
        for one in imports(module, text, package=path.stem == "__init__")
        for name in (one.target, one.target.rpartition(".")[0])
    ]
    # a package's __init__ names its parts: that is no circle
    return [name for name in dict.fromkeys(names) if name in known and name != module]


@pytest.mark.parametrize(
    ("module", "text"),
    [
        ("auditor.engine.decide", "from auditor.rules import catalogue"),
        ("auditor.policy.parse", "import auditor.engine"),
        ("auditor.globs", "from auditor.policy.model import Document"),
        ("auditor.report.table", "from auditor.notify.email import clean"),
        ("auditor.collect.live", "def late():\n    from auditor.report import json"),
        ("auditor.explain.story", "from auditor.report.words import count"),
        ("auditor.audit", "if TYPE_CHECKING:\n    from auditor.cli import main"),
        ("auditor.audit", "from . import cli"),
        ("chalicelib.run", "from auditor import cli"),
        ("chalicelib.run", "import app"),
        ("auditor.audit", "import boto3"),
        ("auditor.report.json", "from botocore.config import Config"),
        ("auditor.engine.decide", "import rich"),
        ("auditor.cli.scan", "import boto3"),
        ("auditor.cli.scan", "from mypy_boto3_iam import IAMClient"),
        ("auditor.nowhere", "from auditor import audit"),
    ],
)
def test_a_wrong_import_is_found(module: str, text: str) -> None:
    """The check sees imports of every form: plain, relative, late, and for type checkers."""
    (one,) = imports(module, text, package=False)

    assert problem(one)


@pytest.mark.parametrize(
    ("module", "text"),
    [
        ("auditor.engine.decide", "from auditor.findings import Verdict"),
        ("auditor.collect.live", "import boto3"),
        ("auditor.collect.live", "from mypy_boto3_iam import IAMClient"),
        ("auditor.cli.app", "from auditor import __version__"),
        ("chalicelib.run", "from auditor.collect.live import collect_account"),
        ("app", "from chalicelib import nightly"),
    ],
)
def test_a_right_import_passes(module: str, text: str) -> None:
    """What points down is allowed."""
    (one,) = imports(module, text, package=False)

    assert problem(one) is None


WITHOUT_AWS = """
import sys
for name in ("boto3", "botocore", "s3transfer"):
    sys.modules[name] = None  # importing it raises ImportError

import pkgutil
from datetime import UTC, datetime
from importlib import import_module

import auditor.engine, auditor.policy, auditor.report, auditor.rules
for package in (auditor.engine, auditor.policy, auditor.report, auditor.rules):
    for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        import_module(found.name)

from auditor.account import Account, PolicyText, Role
from auditor.audit import audit
from auditor.report.interface import PLAIN, format_names, load_format

def document(**statement):
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]}

trust = document(Principal={"Service": "codebuild.amazonaws.com"}, Action="sts:AssumeRole")
role = Role(
    arn="arn:aws:iam::123456789012:role/codebuild-example", name="codebuild-example",
    role_id="AROAEXAMPLE", tags={}, trust=PolicyText("trust", None, "trust", trust),
    inline=(PolicyText("mail", None, "inline", document(Action="ses:*", Resource="*")),),
    attached=(),
)
report = audit(Account("123456789012", "aws", [role]), now=datetime(2026, 11, 23, tzinfo=UTC))
for name in format_names():
    assert "codebuild-example" in load_format(name).render(report, PLAIN), name
print(report.roles[0].verdict, report.roles[0].certainty)
"""


def test_deciding_and_reporting_need_no_boto3() -> None:
    """Engine, rules, audit and every report format import and run where boto3 can't be imported."""
    done = subprocess.run(  # noqa: S603 - our own text
        [sys.executable, "-c", WITHOUT_AWS],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout == "exposed proven\n"
