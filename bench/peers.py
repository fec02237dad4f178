"""Peers beside the auditor on the same generated account: what each answers, and what it takes.

Each peer runs in an environment of its own under ``build/peers/``, made from pinned requirements;
one that can't be installed (no network) is skipped with a line. Seconds are CPU seconds of a whole
process less its start-up (imports), over ``json.load`` of the same file.

None of them answers the auditor's question: ``docs/benchmarks.md`` says what each does answer.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from run import ACCOUNTS, Cost, least, load_cost

HERE = Path(__file__).resolve().parent
BUILD = HERE.parent / "build" / "peers"


class Peer(NamedTuple):
    """A package, its version and what a yes of it means."""

    name: str
    yes: str

    @property
    def pinned(self) -> Path:
        """The requirements, with hashes."""
        return HERE / f"peers-{self.name}.txt"

    @property
    def version(self) -> str:
        """The pinned version."""
        lines = self.pinned.read_text().splitlines()
        line = next(line for line in lines if line.startswith(f"{self.name}=="))
        return line.partition("==")[2].split()[0]


PEERS = (
    Peer("cloudsplaining", "a policy allows a send on any resource, unconditionally"),
    Peer("principalmapper", "one given request to a real address is allowed"),
)


def install(peer: Peer) -> Path | str:
    """Return the Python of a peer's environment, or why there is none."""
    home = BUILD / peer.name
    python, stamp = home / "bin" / "python", home / "installed.txt"
    pinned = peer.pinned.read_text()
    if stamp.exists() and stamp.read_text() == pinned:
        return python
    pip = [str(python), "-m", "pip", "install", "--disable-pip-version-check", "--quiet"]
    for command in (
        [sys.executable, "-m", "venv", "--clear", str(home)],
        [*pip, "--require-hashes", "-r", str(peer.pinned)],
    ):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            told = (done.stderr or done.stdout).strip().splitlines()
            return told[-1] if told else f"{command[0]} exited with {done.returncode}"
    stamp.write_text(pinned)
    return python


def measured(runs: int, command: list[str], start: list[str], path: Path) -> tuple[Cost, set[str]]:
    """Return what a command takes less its start-up, and the names that it wrote to ``path``."""
    base, whole = least(runs, *start), least(runs, *command)
    used = Cost(whole.seconds - base.seconds, whole.mebibytes - base.mebibytes)
    told = json.loads(path.read_text())
    if isinstance(told, dict):  # the auditor's report
        return used, {role["name"] for role in told["roles"] if role["verdict"] == "exposed"}
    return used, set(told)


def compare(size: int, runs: int, ready: list[tuple[Peer, Path]]) -> None:
    """Print the rows of one size: the auditor's, then each peer's."""
    with tempfile.TemporaryDirectory() as folder:
        account, out = Path(folder) / "account.json", Path(folder) / "answer.json"
        make = [sys.executable, str(ACCOUNTS), str(size), "own-domain", str(account)]
        subprocess.run(make, check=True)
        load = load_cost(max(runs, 3), account, Path(folder) / "seconds")
        auditor = [sys.executable, "-m", "auditor"]
        scan = [*auditor, "scan", "--snapshot", str(account), "--format", "json"]
        rows = [("auditor", [*scan, "--output", str(out)], [*auditor, "--version"])]
        for peer, python in ready:
            driver = [str(python), str(HERE / f"peer_{peer.name}.py")]
            rows.append((peer.name, [*driver, str(account), str(out)], driver))
        exposed: set[str] = set()
        for name, command, start in rows:
            used, yes = measured(runs, command, start, out)
            exposed = yes if name == "auditor" else exposed
            print(
                f"{size:7,}  {name:16}{used.seconds:9.2f}{used.seconds / load.seconds:11.1f}"
                f"{used.mebibytes:7.0f}{len(yes):7,}{len(yes - exposed):9,}{len(exposed - yes):9,}",
                flush=True,
            )
            out.unlink()


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[500, 5_000])
    parser.add_argument("--runs", type=int, default=1)
    options = parser.parse_args()
    print(f"Python {platform.python_version()}, {platform.machine()}, {os.cpu_count()} cores")
    ready = []
    for peer in PEERS:
        found = install(peer)
        if isinstance(found, str):
            print(f"{peer.name}: skipped, it couldn't be installed: {found}")
        else:
            ready.append((peer, found))
            print(f"{peer.name} {peer.version}: yes means that {peer.yes}")
    print("auditor: yes means exposed: some request to a real address is allowed")
    print("also, fewer: roles to which the tool says yes and the auditor no, and the reverse\n")
    print("  roles  tool               CPU s  scan/load    MiB    yes     also    fewer")
    for size in options.sizes:
        compare(size, options.runs, ready)
    return 0


if __name__ == "__main__":
    sys.exit(main())
