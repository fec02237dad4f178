"""Principal Mapper's answer for each role; run by ``peers.py`` in an environment of its own.

Its evaluator answers one request at a time and doesn't search for one, so it is asked about one
plausible request for each send action: real recipient, an identity of the account, a region.
Prints the names of the roles that may make some of them. The role graph, which needs AWS, and with
it the chains of roles, is left out.
"""

from __future__ import annotations

import collections
import collections.abc
import json
import sys
from pathlib import Path

# Principal Mapper 1.1.5 imports these names from where Python had them until 3.9.
for name in ("Mapping", "MutableMapping"):
    setattr(collections, name, getattr(collections.abc, name))

CONTEXT = {
    "ses:Recipients": "someone@example.com",
    "ses:FromAddress": "sender@example.com",
    "aws:RequestedRegion": "eu-west-1",
    "aws:SourceIp": "198.51.100.7",
}
ACTIONS = (
    "ses:SendEmail",
    "ses:SendRawEmail",
    "ses:SendTemplatedEmail",
    "ses:SendBulkTemplatedEmail",
    "ses:SendCustomVerificationEmail",
)
IDENTITY = "arn:aws:ses:eu-west-1:123456789012:identity/example.com"


def main() -> None:
    """Read the account named on the command line; without one, import and end (the start-up)."""
    from principalmapper.common import Node, Policy  # type: ignore[import-not-found]
    from principalmapper.querying.query_interface import (  # type: ignore[import-not-found]
        local_check_authorization,
    )

    if len(sys.argv) < 2:
        return
    account = json.loads(Path(sys.argv[1]).read_text())
    managed = {
        policy["Arn"]: Policy(policy["Arn"], policy["PolicyName"], version["Document"])
        for policy in account["Policies"]
        for version in policy["PolicyVersionList"]
        if version["IsDefaultVersion"]
    }
    found = []
    for role in account["RoleDetailList"]:
        policies = [
            Policy(role["Arn"], policy["PolicyName"], policy["PolicyDocument"])
            for policy in role["RolePolicyList"]
        ]
        policies += [managed[policy["PolicyArn"]] for policy in role["AttachedManagedPolicies"]]
        tags = {tag["Key"]: tag["Value"] for tag in role["Tags"]}
        trust = role["AssumeRolePolicyDocument"]
        node = Node(
            role["Arn"], role["RoleId"], policies, None, trust, None, 0, False, False, None, False,
            tags,
        )  # fmt: skip
        if any(local_check_authorization(node, action, IDENTITY, CONTEXT) for action in ACTIONS):
            found.append(role["RoleName"])
    Path(sys.argv[2]).write_text(json.dumps(sorted(found)))


main()
