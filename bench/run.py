"""The benchmark table: what a scan takes, as multiples of ``json.load`` of the same file.

Each figure is the least of several runs of a whole process (``auditor scan``), less the start-up
of that command (the same on a snapshot without roles), over the least of as many ``json.load`` of
the same file, each in a process of its own. Times are CPU times: what else the machine does matters
less so. Python's compiled files are kept, as an installation keeps them, in a folder of their own.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from accounts import ACCOUNT, Kind, snapshot

ACCOUNTS = Path(__file__).with_name("accounts.py")
LOAD = (
    "import json, sys, time; start = time.process_time(); file = json.load(open(sys.argv[1]));"
    " print(time.process_time() - start, file=open(sys.argv[2], 'w'))"
)
LIMITS: dict[tuple[int, Kind], float] = {(5_000, "distinct"): 12.0, (5_000, "shared"): 12.0}
"""Multiples of ``json.load`` promised for (roles, kind of account)."""
GROWTH = 3.0
"""How many times as fast as that of ``json.load`` a scan's memory may grow, from 5,000 to 50,000
distinct roles."""
STARTUP = 1.5
"""How many times the start-up of an empty Typer command ``auditor --version`` may take."""
KINDS: tuple[Kind, ...] = ("distinct", "shared", "own-domain")
LARGE = 10_000
AUDITOR = (sys.executable, "-m", "auditor")
TYPER = "import typer; app = typer.Typer(); app.command()(lambda: None); app([])"


class Cost(NamedTuple):
    """CPU seconds and the most memory (MiB) that a process took."""

    seconds: float
    mebibytes: float


def cost(*command: str) -> Cost:
    """Run a command to its end, its output thrown away."""
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode not in (0, 1, 3):
        raise SystemExit(f"{' '.join(command)} exited with {child.returncode}")
    return Cost(usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def least(runs: int, *command: str) -> Cost:
    """Return the least of several runs: noise only ever adds."""
    found = [cost(*command) for _ in range(runs)]
    return Cost(min(one.seconds for one in found), min(one.mebibytes for one in found))


def load_cost(runs: int, path: Path, told: Path) -> Cost:
    """Return what ``json.load`` of a file takes, without the start-up of Python."""
    found = []
    for _ in range(runs):
        used = cost(sys.executable, "-c", LOAD, str(path), str(told))
        found.append(Cost(float(told.read_text()), used.mebibytes))
    return Cost(min(one.seconds for one in found), min(one.mebibytes for one in found))


def api_calls(roles: int) -> Counter[str]:
    """Collect a moto account of this many roles and return the calls that it took."""
    import boto3
    from moto import mock_aws
    from moto.sesv2.responses import SESV2Response

    from auditor.collect.live import collect_account

    os.environ.pop("AWS_ENDPOINT_URL", None)
    # moto lacks this one.
    answer = '{"ProductionAccessEnabled": true, "SendingEnabled": true}'
    SESV2Response.get_account = lambda _: answer  # type: ignore[attr-defined]
    with mock_aws():  # which sets credentials of its own
        session = boto3.Session(region_name="eu-west-1")
        iam = session.client("iam")
        trust = json.dumps(snapshot(1, "distinct")["RoleDetailList"][0]["AssumeRolePolicyDocument"])
        for number in range(roles):
            iam.create_role(RoleName=f"codebuild-{number}", AssumeRolePolicyDocument=trust)
        account = collect_account(session)
        list(account.roles)
        return Counter(account.api_calls)


class Row(NamedTuple):
    """What reading a file and scanning it took, start-up left out; ``size`` is in bytes."""

    size: int
    load: Cost
    scan: Cost

    @property
    def ratio(self) -> float:
        """Return a scan's seconds as a multiple of those of ``json.load``."""
        return self.scan.seconds / self.load.seconds


def start_up(runs: int) -> tuple[Cost, float]:
    """Print what commands take that do nothing; return a scan's, and the version's over Typer's."""
    typer = least(runs, sys.executable, "-c", TYPER)
    version = least(runs, *AUDITOR, "--version")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "account.json"
        path.write_text(json.dumps(snapshot(0, "distinct")))
        scan = least(runs, *AUDITOR, "scan", "--snapshot", str(path), "--format", "json")
    print(
        f"start-up: auditor --version {version.seconds:.3f} s CPU,"
        f" an empty Typer command {typer.seconds:.3f} s;"
        f" auditor scan of an empty snapshot {scan.seconds:.3f} s, subtracted below\n"
    )
    return scan, version.seconds / typer.seconds


def measured(size: int, kind: Kind, runs: int, start: Cost, bare: Cost) -> Row:
    """Measure one account: reading and scanning in turns, so that both meet the same machine."""
    with tempfile.TemporaryDirectory() as folder:
        path, told = Path(folder) / "account.json", Path(folder) / "seconds"
        cost(sys.executable, str(ACCOUNTS), str(size), kind, str(path))
        scanning = ("scan", "--snapshot", str(path), "--format", "json")
        loads, scans = [], []
        for _ in range(runs):
            loads.append(load_cost(1, path, told))
            scans.append(cost(*AUDITOR, *scanning, "--output", str(Path(folder) / "report.json")))
        load = Cost(*(min(values) for values in zip(*loads, strict=True)))
        scan = Cost(*(min(values) for values in zip(*scans, strict=True)))
        return Row(
            path.stat().st_size,
            Cost(load.seconds, load.mebibytes - bare.mebibytes),
            Cost(scan.seconds - start.seconds, scan.mebibytes - start.mebibytes),
        )


def table(sizes: list[int], runs: int, start: Cost) -> dict[tuple[int, Kind], Row]:
    """Print a line for each account, and return what it says."""
    bare = least(runs, sys.executable, "-c", "import json, sys")
    rows: dict[tuple[int, Kind], Row] = {}
    print("  roles  policies    file MiB  load s   scan s  scan/load  load MiB  scan MiB")
    for kind in KINDS:
        for size in sizes:
            # a large account takes long enough for noise to even out
            row = rows[size, kind] = measured(size, kind, 2 if size > LARGE else runs, start, bare)
            limit = LIMITS.get((size, kind))
            note = "" if limit is None else f"  (promised: {limit:g})"
            print(
                f"{size:7,}  {'50 shared' if kind == 'shared' else kind:10}"
                f"  {row.size / 2**20:7.1f}  {row.load.seconds:7.3f}"
                f"  {row.scan.seconds:7.2f}  {row.ratio:9.1f}"
                f"  {row.load.mebibytes:8.0f}  {row.scan.mebibytes:8.0f}{note}",
                flush=True,
            )
    return rows


def growth(rows: dict[tuple[int, Kind], Row]) -> float | None:
    """Return how many times as fast as that of ``json.load`` the memory of a scan grew."""
    few, many = rows.get((5_000, "distinct")), rows.get((50_000, "distinct"))
    if few is None or many is None:
        return None
    return (many.scan.mebibytes - few.scan.mebibytes) / (many.load.mebibytes - few.load.mebibytes)


def main() -> int:
    """Print the table; exit 1 where a promised limit is broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[500, 5_000, 50_000])
    parser.add_argument("--runs", type=int, default=7)
    arguments = parser.parse_args()
    print(f"Python {platform.python_version()}, {platform.machine()}, {os.cpu_count()} cores")
    with tempfile.TemporaryDirectory() as compiled:
        os.environ["PYTHONPYCACHEPREFIX"] = compiled
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        start, version = start_up(arguments.runs)
        rows = table(arguments.sizes, arguments.runs, start)
    broken = [
        f"{size:,} roles, {kind}: {rows[size, kind].ratio:.1f} times json.load, over {limit:g}"
        for (size, kind), limit in LIMITS.items()
        if (size, kind) in rows and rows[size, kind].ratio > limit
    ]
    grown = growth(rows)
    if grown is not None:
        print(f"memory of 5,000 to 50,000 distinct roles: {grown:.1f} times that of json.load")
        if grown > GROWTH:
            broken.append(f"memory grew {grown:.1f} times as fast as json.load's, over {GROWTH:g}")
    if version > STARTUP:
        broken.append(f"--version: {version:.1f} times an empty Typer command, over {STARTUP:g}")
    calls = api_calls(1_000)
    print(f"\ncollecting account {ACCOUNT} with 1,000 roles: {sum(calls.values())} API calls")
    for name, count in sorted(calls.items()):
        print(f"  {name}: {count}")
    for line in broken:
        print(f"broken promise: {line}", file=sys.stderr)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
