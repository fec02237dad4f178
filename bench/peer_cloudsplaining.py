"""Cloudsplaining's answer for each role; run by ``peers.py`` in an environment of its own.

Prints the names of the roles of which some policy has a finding that names a send action. The HTML
page, most of what the command does, is left out: only the findings count.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path


def main() -> None:
    """Read the account named on the command line; without one, import and end (the start-up)."""
    from cloudsplaining.scan.authorization_details import (  # type: ignore[import-not-found]
        AuthorizationDetails,
    )
    from cloudsplaining.shared.exclusions import DEFAULT_EXCLUSIONS  # type: ignore[import-not-found]

    if len(sys.argv) < 2:
        return
    account = json.loads(Path(sys.argv[1]).read_text())
    results = AuthorizationDetails(account, exclusions=DEFAULT_EXCLUSIONS).results
    policies = {**results["inline_policies"], **results["customer_managed_policies"]}
    named = {
        key
        for key, policy in policies.items()
        if any(
            action.lower().startswith("ses:send") and action.lower() != "ses:sendbounce"
            for action in policy["InfrastructureModification"]["findings"]
        )
    }
    found = [
        role["name"]
        for role in results["roles"].values()
        if named & {*role["inline_policies"], *role["customer_managed_policies"]}
    ]
    Path(sys.argv[2]).write_text(json.dumps(sorted(found)))


main()
