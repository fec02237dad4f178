"""The benchmark table: what a scan takes, as multiples of ``json.load`` of the same file.

Each figure is the least of several runs of a whole process (``auditor scan``), less the start-up
of the command (``auditor --version``), over the least of as many ``json.load`` of the same file,
each in a process of its own. Times are CPU times: what else the machine does matters less so.
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

from accounts import ACCOUNT, snapshot

ACCOUNTS = Path(__file__).with_name("accounts.py")
LOAD = (
    "import json, sys, time; start = time.process_time(); file = json.load(open(sys.argv[1]));"
    " print(time.process_time() - start, file=open(sys.argv[2], 'w'))"
)
LIMITS = {(5_000, False): 40.0}
"""Multiples of ``json.load`` promised for (roles, shared policies)."""


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
        trust = json.dumps(
            snapshot(1, shared=False)["RoleDetailList"][0]["AssumeRolePolicyDocument"]
        )
        for number in range(roles):
            iam.create_role(RoleName=f"codebuild-{number}", AssumeRolePolicyDocument=trust)
        account = collect_account(session)
        list(account.roles)
        return Counter(account.api_calls)


def main() -> int:
    """Print the table; exit 1 where a promised limit is broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[500, 5_000, 50_000])
    parser.add_argument("--runs", type=int, default=3)
    arguments = parser.parse_args()
    auditor = [sys.executable, "-m", "auditor"]
    broken = []
    print(f"Python {platform.python_version()}, {platform.machine()}, {os.cpu_count()} cores")
    start = least(arguments.runs, *auditor, "--version")
    bare = least(arguments.runs, sys.executable, "-c", "import json, sys")
    print(f"start-up (auditor --version): {start.seconds:.2f} s CPU\n")
    print("  roles  policies   file MiB  load s   scan s  scan/load  load MiB  scan MiB")
    for shared in (False, True):
        for size in arguments.sizes:
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / "account.json"
                kind = "shared" if shared else "distinct"
                cost(sys.executable, str(ACCOUNTS), str(size), kind, str(path))
                load = load_cost(arguments.runs, path, Path(folder) / "seconds")
                scan = least(
                    arguments.runs, *auditor, "scan", "--snapshot", str(path),
                    "--format", "json", "--output", str(Path(folder) / "report.json"),
                )  # fmt: skip
                ratio = (scan.seconds - start.seconds) / load.seconds
                limit = LIMITS.get((size, shared))
                note = "" if limit is None else f"  (promised: {limit:g})"
                print(
                    f"{size:7,}  {'50 shared' if shared else 'distinct':9}"
                    f"  {path.stat().st_size / 2**20:7.1f}  {load.seconds:7.3f}"
                    f"  {scan.seconds - start.seconds:7.2f}  {ratio:9.1f}"
                    f"  {load.mebibytes - bare.mebibytes:8.0f}"
                    f"  {scan.mebibytes - start.mebibytes:8.0f}{note}",
                    flush=True,
                )
                if limit is not None and ratio > limit:
                    broken.append(f"{size:,} roles: {ratio:.1f} times json.load, over {limit:g}")
    calls = api_calls(1_000)
    print(f"\ncollecting account {ACCOUNT} with 1,000 roles: {sum(calls.values())} API calls")
    for name, count in sorted(calls.items()):
        print(f"  {name}: {count}")
    for line in broken:
        print(f"broken promise: {line}", file=sys.stderr)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
