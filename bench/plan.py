"""What planning takes against scanning: whole commands on the same snapshot, in turns.

Each figure is the least CPU time of several runs of a whole process, start-up included: that is
what somebody waits for. Half of the roles or so are exposed, and get a change with its proofs.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
from pathlib import Path

from accounts import Kind, snapshot
from run import AUDITOR, cost

LIMIT = 4.0
"""Times a scan that a plan of 1,000 roles may take: each exposed role is decided twice, each of its
requests is evaluated four times, and what could undo the change is looked for."""
KINDS: tuple[Kind, ...] = ("distinct", "shared")


def measured(roles: int, kind: Kind, runs: int, folder: Path) -> tuple[float, float, int]:
    """Return CPU seconds of a scan and of a plan, and how many roles the plan changes."""
    path, plan = folder / "account.json", folder / "plan.json"
    path.write_text(json.dumps(snapshot(roles, kind)), "utf-8")
    given = ("--snapshot", str(path), "--format", "json")
    scans, plans = [], []
    for _ in range(runs):
        scans.append(cost(*AUDITOR, "scan", *given, "--output", str(folder / "r.json")).seconds)
        plans.append(cost(*AUDITOR, "remediate", "plan", *given, "--output", str(plan)).seconds)
    return min(scans), min(plans), len(json.loads(plan.read_text("utf-8"))["changes"])


def main() -> int:
    """Print a line for each account; exit 1 where the promised limit is broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1_000])
    parser.add_argument("--runs", type=int, default=5)
    arguments = parser.parse_args()
    broken = False
    print(f"Python {platform.python_version()}, {platform.machine()}, {os.cpu_count()} cores")
    print("  roles  policies   scan s   plan s  plan/scan  changes")
    with tempfile.TemporaryDirectory() as folder:
        os.environ["PYTHONPYCACHEPREFIX"] = str(Path(folder) / "compiled")
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        for kind in KINDS:
            for size in arguments.sizes:
                scan, plan, changes = measured(size, kind, arguments.runs, Path(folder))
                name = "50 shared" if kind == "shared" else kind
                print(
                    f"{size:7,}  {name:9}  {scan:7.2f}  {plan:7.2f}  {plan / scan:9.1f}"
                    f"  {changes:7,}",
                    flush=True,
                )
                broken |= size == 1_000 and plan / scan > LIMIT
    return int(broken)


if __name__ == "__main__":
    sys.exit(main())
