"""The zip holds what Lambda needs and nothing else, and it works on its own."""

from __future__ import annotations

import json
import marshal
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import pytest
from moto.moto_api._internal.models import moto_api_backend
from moto.server import ThreadedMotoServer

from tests.collect import gaps
from tests.lambda_app import world as worlds
from tests.packaging.conftest import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.packaging.conftest import Package

TOOLS = ROOT / "tools"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A moto server of this process; its address."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    gaps.fill()
    moto_api_backend.reset()  # what other servers of this process were told
    running = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    running.start()
    host, port = running.get_host_and_port()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
    yield f"http://{host}:{port}"
    running.stop()
    moto_api_backend.reset()


def test_the_nightly_audit_runs_from_the_zip_alone(package: Package, server: str) -> None:
    """An interpreter that sees the zip and boto3 alone audits an account and tells its topic."""
    world = worlds.build(boto3.Session(region_name=worlds.REGION))
    done = subprocess.run(  # noqa: S603 - our own tools on our own files
        [
            *(sys.executable, "-I", "-S", str(Path(__file__).with_name("isolated_nightly.py"))),
            *(str(package.unpacked), str(package.runtime)),
        ],
        env={
            "PATH": os.environ["PATH"],
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_DEFAULT_REGION": worlds.REGION,
            "AWS_ENDPOINT_URL": server,
            "AUDITOR_TOPIC_ARN": world.topic_arn,
            "AUDITOR_REGIONS": worlds.REGION,
            "AUDITOR_HISTORY_TABLE": worlds.HISTORY,
        },
        check=False,
        capture_output=True,
        text=True,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("reply ")]
    reply = json.loads(line.removeprefix("reply "))
    assert reply["file"].startswith(str(package.unpacked))
    assert reply["summary"]["exposed"] == 1
    assert any(worlds.OPEN in message for message in world.heard())


def test_every_module_of_ours_is_in_the_zip(package: Package) -> None:
    """What lies in auditor and chalicelib is in the zip as it is here; the commands are not."""
    expected = {"app.py": ROOT / "app.py"}
    for folder in ("auditor", "chalicelib"):
        for path in (ROOT / folder).rglob("*"):
            name = path.relative_to(ROOT).as_posix()
            if path.is_file() and "__pycache__" not in name:
                expected[name] = path
    with zipfile.ZipFile(package.zip_path) as archive:
        present = set(archive.namelist())
        for name, path in expected.items():
            if name.startswith("auditor/cli/") or name == "auditor/__main__.py":
                assert name not in present
            else:
                assert archive.read(name) == path.read_bytes()


def test_nothing_else_is_in_the_zip(package: Package) -> None:
    """Only our folders and the pinned requirements: no tests, no boto3, no typer."""
    with zipfile.ZipFile(package.zip_path) as archive:
        tops = {name.split("/")[0] for name in archive.namelist()}
    for name in ("tests", "tools", "vendor", "boto3", "botocore", "typer", "rich", "moto"):
        assert name not in tops
    pinned = {line.split("==")[0] for line in staged_requirements(package) if "==" in line}
    shipped = {name.split("-")[0].replace("_", "-") for name in tops if name.endswith("-info")}
    assert shipped == pinned


def staged_requirements(package: Package) -> list[str]:
    return (package.work / "stage" / "requirements.txt").read_text(encoding="utf-8").splitlines()


def test_requirements_are_fetched_by_hash(package: Package) -> None:
    """pip gets a pin and hashes for every requirement, those that others bring in included."""
    text = "\n".join(staged_requirements(package))

    assert text.count("==") == len([line for line in text.splitlines() if "==" in line]) > 5
    assert text.count("--hash=sha256:") >= text.count("==")


def test_every_module_is_compiled_for_good(package: Package) -> None:
    """Each module has bytecode that Python takes unchecked, naming the place that Lambda uses."""
    tag = sys.implementation.cache_tag
    with zipfile.ZipFile(package.zip_path) as archive:
        names = set(archive.namelist())
        for name in names:
            if not name.endswith(".py"):
                continue
            folder, _, module = name.rpartition("/")
            place = f"{folder}/__pycache__/" if folder else "__pycache__/"
            compiled = archive.read(f"{place}{module[:-3]}.{tag}.pyc")
            # https://peps.python.org/pep-0552/: bit 0 is "by hash", bit 1 "check the source".
            assert int.from_bytes(compiled[4:8], "little") == 0b01
            if name == "app.py":
                assert marshal.loads(compiled[16:]).co_filename == "/var/task/app.py"  # noqa: S302


def test_compiling_again_gives_the_same_bytes(package: Package, tmp_path: Path) -> None:
    """The zip depends on its files alone: neither dates nor hash seeds show."""
    again = tmp_path / "again.zip"
    shutil.copy(package.zip_path, again)
    code = "import sys, pathlib, bytecode_zip as z; z.rebuild(*map(pathlib.Path, sys.argv[1:]))"
    subprocess.run(  # noqa: S603 - our own tools on our own files
        [sys.executable, "-c", code, str(again), str(tmp_path / "work")],
        check=True,
        cwd=TOOLS,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )

    assert again.read_bytes() == package.zip_path.read_bytes()


def test_the_output_names_results_and_sizes(package: Package) -> None:
    """Whoever runs ``make package`` reads what was checked, where it lies and how large it is."""
    assert "app.audit_nightly, app.audit_now" in package.printed
    assert f"{package.zip_path}  " in package.printed
    assert " MB unzipped" in package.printed
    assert f"{package.template_path}  " in package.printed


def test_what_else_is_in_the_folder_stays(package: Package) -> None:
    """out/ holds the demo's files too: packaging replaces its own results and nothing else."""
    assert (package.zip_path.parent / "demo" / "mail.txt").read_text("utf-8") == "a mail"
    assert sorted(path.name for path in package.zip_path.parent.iterdir()) == [
        "demo",
        "deployment.zip",
        "sam.yaml",
    ]


def check(package: Package, unpacked: Path, *names: str) -> str:
    """Run the packaging's own check on an unpacked zip; return its one line of complaint."""
    done = subprocess.run(  # noqa: S603 - our own tools on our own files
        [
            *(sys.executable, "-I", "-S", str(TOOLS / "check_package.py"), str(unpacked)),
            *(str(package.template_path), str(package.runtime), *names),
        ],
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    return done.stderr.strip()


def test_the_check_misses_no_missing_part(package: Package, tmp_path: Path) -> None:
    """The check that ends a packaging fails, with a reason, on a zip that isn't whole."""
    assert check(package, package.unpacked, "left-pad") == "not in the zip: left-pad"

    for name in ("auditor", "pydantic"):
        broken = tmp_path / f"without-{name}"
        shutil.copytree(package.unpacked, broken, copy_function=os.link)
        shutil.rmtree(broken / name)
        assert name in check(package, broken).splitlines()[-1]

    crowded = tmp_path / "crowded"
    shutil.copytree(package.unpacked, crowded, copy_function=os.link)
    (crowded / "typer").mkdir()
    assert check(package, crowded) == "in the zip, but not needed there: typer"
