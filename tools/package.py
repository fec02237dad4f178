"""``make package``: build out/deployment.zip and out/sam.yaml, and prove that they work.

Chalice packages app.py, chalicelib, vendor/ and what requirements.txt names; ``auditor`` itself
would be left out. So a copy of the project is staged with ``auditor`` under vendor/, and Chalice
packages that. Its exit status is no proof (a requirement that it can't fetch is dropped with status
0), so the result is unpacked and imported in an interpreter that sees nothing else.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, NoReturn

import bytecode_zip
import locked_requirements
import yaml

ROOT = Path(__file__).resolve().parent.parent
DEFAULT_STAGE = "prod"

# Parts of auditor that no function uses: the commands and what only they need.
LEFT_OUT = ("cli", "__main__.py")
# A deployment's own file of exceptions, where it is to travel with the code: beside app.py.
EXCEPTIONS = ("exceptions.yaml", "exceptions.yml")
NOT_OURS = shutil.ignore_patterns("__pycache__", "*.pyc")

# What Lambda refuses: 50 MB zipped when uploaded directly, 250 MB unzipped.
# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
MAX_ZIPPED_BYTES = 50 * 1024**2
MAX_UNZIPPED_BYTES = 250 * 1024**2


class PackageError(Exception):
    """Why there is no package, in one line."""


def stage_copy(root: Path, stage: Path) -> list[str]:
    """Lay out what Chalice is to package under ``stage``; return the pinned requirements."""
    shutil.rmtree(stage, ignore_errors=True)
    stage.mkdir(parents=True)
    shutil.copy2(root / "app.py", stage)
    shutil.copytree(root / "chalicelib", stage / "chalicelib", ignore=NOT_OURS)
    (stage / ".chalice").mkdir()
    for path in sorted((root / ".chalice").iterdir()):
        if path.is_file():
            shutil.copy2(path, stage / ".chalice")
    vendored = stage / "vendor" / "auditor"
    shutil.copytree(root / "auditor", vendored, ignore=NOT_OURS)
    for name in LEFT_OUT:
        path = vendored / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    for name in EXCEPTIONS:
        if (root / name).is_file():
            shutil.copy2(root / name, stage / "vendor")  # what lies there, the zip has at its top
    names, text = locked_requirements.closure(
        root / "requirements.txt", root / "requirements-dev.txt"
    )
    (stage / "requirements.txt").write_text(text, encoding="utf-8")
    return names


def run_chalice(staged: Path, out: Path, stage_name: str) -> None:
    """Package the staged copy; every path absolute, for Chalice changes its directory."""
    environment = {
        "AWS_DEFAULT_REGION": "us-east-1",  # for endpoint names only, nothing is called
        **os.environ,
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    command = [
        *(sys.executable, "-c", "from chalice.cli import main; main()"),
        *("--project-dir", str(staged), "package", "--stage", stage_name),
        *("--merge-template", str(staged / ".chalice" / "resources.yaml"), str(out)),
    ]
    done = subprocess.run(
        command,
        check=False,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    output = done.stdout + done.stderr
    if done.returncode != 0:
        raise PackageError(f"chalice package failed:\n{output.strip()}")
    if "Could not install dependencies" in output:
        raise PackageError(f"chalice left requirements out:\n{output.strip()}")


class _PlainDumper(yaml.SafeDumper):
    """Writes a value that occurs twice, twice: CloudFormation's YAML has no aliases.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-formats.html
    """

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - the base class's signature
        return True


def flatten(template: Path) -> None:
    """Rewrite Chalice's template without the aliases that its YAML writer puts there."""
    value = yaml.safe_load(template.read_text(encoding="utf-8"))
    template.write_text(yaml.dump(value, Dumper=_PlainDumper), encoding="utf-8")


def check(zip_path: Path, template: Path, names: list[str], work: Path) -> str:
    """Unpack the zip and import it in an interpreter that sees it and boto3 alone."""
    unpacked = work / "unpacked"
    shutil.rmtree(unpacked, ignore_errors=True)
    bytecode_zip.unpack(zip_path, unpacked)
    done = subprocess.run(
        [
            *(sys.executable, "-I", "-S", str(ROOT / "tools" / "check_package.py")),
            *(str(unpacked), str(template), str(runtime_packages(work)), *names),
        ],
        check=False,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    if done.returncode != 0:
        raise PackageError(f"the package doesn't work: {(done.stderr or done.stdout).strip()}")
    return done.stdout.strip()


def runtime_packages(work: Path) -> Path:
    """Return a folder with links to boto3 and what it needs: what Lambda's runtime brings."""
    folder = work / "runtime"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name in locked_requirements.distributions(["boto3"]):
        for top in locked_requirements.top_level_paths(name):
            (folder / top.name).symlink_to(top)
    return folder


def make(out: Path, work: Path, stage_name: str) -> None:
    """Tell the story: stage, package, compile, check, report."""
    staged = work / "stage"
    names = stage_copy(ROOT, staged)
    zip_path, template = out / "deployment.zip", out / "sam.yaml"
    out.mkdir(parents=True, exist_ok=True)  # others keep their results there too
    for path in (zip_path, template):
        path.unlink(missing_ok=True)
    run_chalice(staged, out, stage_name)
    for path in (zip_path, template):
        if not path.is_file():
            raise PackageError(f"chalice made no {path.name}")
    flatten(template)
    unzipped = bytecode_zip.rebuild(zip_path, work / "compiled")
    print(check(zip_path, template, names, work))
    zipped = zip_path.stat().st_size
    if zipped > MAX_ZIPPED_BYTES or unzipped > MAX_UNZIPPED_BYTES:
        raise PackageError(f"too large for Lambda: {zipped} bytes zipped, {unzipped} unzipped")
    print(f"{shown(zip_path)}  {zipped / 1e6:.1f} MB, {unzipped / 1e6:.1f} MB unzipped")
    print(f"{shown(template)}  {template.stat().st_size / 1e3:.1f} kB")


def shown(path: Path) -> Path:
    """Return a path as a user would type it here."""
    return path.relative_to(ROOT) if path.is_relative_to(ROOT) else path


def fail(error: Exception) -> NoReturn:
    """End with one clear message and status 1."""
    print(f"package: {error}", file=sys.stderr)
    raise SystemExit(1)


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Build and check the Lambda package.")
    parser.add_argument("--out", type=Path, default=ROOT / "out", help="folder for the results")
    parser.add_argument("--work", type=Path, default=ROOT / "build", help="folder to work in")
    parser.add_argument("--stage", default=DEFAULT_STAGE, help="stage of .chalice/config.json")
    arguments = parser.parse_args()
    try:
        make(arguments.out.resolve(), arguments.work.resolve(), arguments.stage)
    except (PackageError, locked_requirements.LockError) as error:
        fail(error)


if __name__ == "__main__":
    main()
