"""Judges many random roles: ``python tests/judge/run.py --roles 20000 --seed 7``.

Prints every disagreement with the role that shows it, then a count. Exit status 1 where there is
any disagreement.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections import Counter
from importlib import import_module
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))


def main() -> int:
    """Judge as many roles as the command line asks for."""
    # By name: as a script this file is outside its own package.
    judge = import_module("tests.judge.verdicts")
    random_role = import_module("tests.judge.roles").random_role
    parser = argparse.ArgumentParser(description="Judge random roles.")
    parser.add_argument("--roles", type=int, default=2000, help="how many roles")
    parser.add_argument("--seed", default="0", help="which roles: any text")
    parser.add_argument("--samples", type=int, default=200, help="requests tried on each role")
    parser.add_argument("--only", type=int, help="the number of one role to look at")
    given = parser.parse_args()
    counts: Counter[str] = Counter()
    for number in range(given.roles) if given.only is None else [given.only]:
        # Pseudo-random on purpose: a number and a seed name a role for good.
        subject = random_role(random.Random(f"{given.seed}/{number}"))  # noqa: S311
        report, complaints = judge.judge(subject, given.samples, number)
        counts[report.certainty or report.verdict] += 1
        peer = judge.peer_of(subject)
        counts["judged by the peer too"] += peer is not None
        if peer is not None:
            differing = judge.evaluators_disagree(subject, peer, given.samples // 10, number)
            complaints += [judge.Complaint("peer", "the judges differ", call) for call in differing]
        for complaint in complaints:
            counts["disagreements"] += 1
            print(f"role {number}: {complaint.who}: {complaint.what}: {complaint.call}")  # noqa: T201 - the output
            documents = {"policies": subject.policies, "boundary": subject.boundary}
            print("   ", json.dumps({**documents, "tags": subject.tags}))  # noqa: T201 - the output
    print(dict(counts))  # noqa: T201 - the output
    return 1 if counts["disagreements"] else 0


if __name__ == "__main__":
    raise SystemExit(main())
