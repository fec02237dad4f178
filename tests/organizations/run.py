"""Judges many random accounts: ``python -m tests.organizations.run --accounts 5000 --seed 7``.

Prints every disagreement with the account that shows it, then counts. Exit status 1 where there is
any disagreement.
"""

from __future__ import annotations

import argparse
import json
import random
from collections import Counter

from .compare import compare, level
from .randoms import random_world


def main() -> int:
    """Judge as many accounts as the command line asks for."""
    parser = argparse.ArgumentParser(description="Judge random accounts.")
    parser.add_argument("--accounts", type=int, default=500, help="how many accounts")
    parser.add_argument("--seed", default="0", help="which accounts: any text")
    parser.add_argument("--samples", type=int, default=120, help="requests tried on each role")
    parser.add_argument("--only", type=int, help="the number of one account to look at")
    parser.add_argument("--open", action="store_true", help="what AWS's pages leave open, too")
    given = parser.parse_args()
    counts: Counter[str] = Counter()
    for number in range(given.accounts) if given.only is None else [given.only]:
        # Pseudo-random on purpose: a number and a seed name an account for good.
        world = random_world(
            random.Random(f"{given.seed}/{number}"),  # noqa: S311
            settled=not given.open,
        )
        report, complaints = compare(world, given.samples, number)
        for role in report.roles:
            counts[level(role)] += 1
            counts.update({finding.rule for finding in role.findings})
        for complaint in complaints:
            counts["disagreements"] += 1
            print(f"account {number}: {complaint}", flush=True)  # noqa: T201 - the output
        if complaints and given.only is not None:
            shown = {
                "levels": world.levels,
                "management": world.management,
                "grants": world.grants,
                "roles": {
                    actor.name: {
                        "policies": actor.subject.policies,
                        "boundary": actor.subject.boundary,
                        "tags": actor.subject.tags,
                        "trust": actor.trust,
                    }
                    for actor in world.actors
                },
            }
            print(json.dumps(shown, indent=1))  # noqa: T201 - the output
    print(dict(counts))  # noqa: T201 - the output
    return 1 if counts["disagreements"] else 0


if __name__ == "__main__":
    raise SystemExit(main())
