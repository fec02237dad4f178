"""A plain evaluator of a whole account, one concrete request at a time.

It builds on ``tests.judge`` (an evaluator of single statements) and shares no code with
``auditor``. Written from AWS's pages:

- https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html
- https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
- https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_evaluation.html
- https://docs.aws.amazon.com/ses/latest/dg/sending-authorization-policies.html
- https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.judge.concrete import Reading, Request, as_list, layer, load, matches, names

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from tests.judge.calls import Subject

# Sending authorization covers these and no other action.
COVERED = {
    "ses:SendEmail",
    "ses:SendRawEmail",
    "ses:SendTemplatedEmail",
    "ses:SendBulkTemplatedEmail",
}
SESSION, ROLE, ANY, ACCOUNT = "session", "role", "any", "account"


@dataclass(frozen=True)
class Actor:
    """A role: what the judge knows of one, and its trust policy."""

    name: str
    subject: Subject
    trust: object

    @property
    def builds(self) -> bool:
        """Whether CodeBuild may assume the role, conditions taken as met."""
        let_in = False
        for statement in as_list(load(self.trust)["Statement"]):
            who = statement["Principal"]
            services = as_list(who.get("Service", [])) if isinstance(who, dict) else []
            meant = who == "*" or "codebuild.amazonaws.com" in services
            if not meant or not any(
                names(pattern, "sts:AssumeRole") for pattern in as_list(statement["Action"])
            ):
                continue
            if statement["Effect"] == "Allow":
                let_in = True
            elif "Condition" not in statement:
                return False
        return let_in


@dataclass(frozen=True)
class World:
    """An account: roles, SCPs by level (root first; None without an organization), identities."""

    actors: tuple[Actor, ...]
    levels: tuple[tuple[object, ...], ...] | None = None
    management: bool = False
    grants: Mapping[str, tuple[object, ...]] = field(default_factory=dict)
    organization: str = "o-example"

    def bound(self) -> tuple[tuple[object, ...], ...]:
        """Return the levels of SCPs that bind the account's roles."""
        return () if self.levels is None or self.management else self.levels

    def documents(self, actor: Actor) -> list[object]:
        """Return every document that bears on a role's sends, identities' ARNs made visible."""
        subject = actor.subject
        found: list[object] = [*subject.policies]
        found += [] if subject.boundary is None else [subject.boundary]
        found += [document for level in self.bound() for document in level]
        for arn, documents in self.grants.items():
            found += documents
            found.append({"Statement": {"Resource": arn}})
        return found


def principals(statement: Mapping[str, Any]) -> tuple[list[str], bool]:
    """Return the AWS principals that a statement names, and whether it means all but those."""
    negated = "NotPrincipal" in statement
    named = statement["NotPrincipal" if negated else "Principal"]
    if named == "*":
        return ["*"], negated
    return [str(one) for one in as_list(named.get("AWS", []))], negated


def kinds(named: Iterable[str], subject: Subject, session: str) -> set[str]:
    """Return in which ways a list of principals names a role's session."""
    _, partition, _, _, account, _ = subject.arn.split(":", 5)
    meant = {
        "*": ANY,
        subject.arn: ROLE,
        subject.role_id: ROLE,
        account: ACCOUNT,
        f"arn:{partition}:iam::{account}:root": ACCOUNT,
        f"arn:{partition}:sts::{account}:assumed-role/{subject.arn.rpartition('/')[2]}/{session}": (
            SESSION
        ),
    }
    return {meant[name] for name in named if name in meant}


def _pinned(statement: Mapping[str, Any]) -> bool:
    """Whether conditions name the role: as AWS says, that counts as the role as principal."""
    block = statement.get("Condition", {})
    return any(key.lower() == "aws:principalarn" for keys in block.values() for key in keys)


def _named(
    statement: Mapping[str, Any], subject: Subject, session: str, *, generous: bool
) -> set[str]:
    """Return in which ways a resource's statement applies to a role's session.

    ``generous`` takes the doubt in favour of its applying. All but the named: AWS asks to name
    account, role and session together, and doesn't say what happens where one of the latter two is
    missing (reference_policies_elements_notprincipal.html). An account alone exempts no role of it.
    """
    named, negated = principals(statement)
    found = kinds(named, subject, session)
    if not negated:
        if ANY in found and (_pinned(statement) or not generous):
            found = (found - {ANY}) | {ROLE}
        return found
    if subject.boundary is not None:
        # So says that page: whomever the statement names.
        found = set()
    if ANY in found:
        return set()
    exempt = found >= {SESSION, ROLE, ACCOUNT} if generous else bool(found & {SESSION, ROLE})
    return set() if exempt else {ANY if generous and not _pinned(statement) else ROLE}


def resource_layer(
    documents: Iterable[object],
    subject: Subject,
    session: str,
    request: Request,
    reading: Reading,
) -> tuple[set[str], bool]:
    """Return how a resource's policies grant a request (as whom), and whether one denies it."""
    granted: set[str] = set()
    denied = False
    for raw in documents:
        document = load(raw)
        new = document.get("Version") == "2012-10-17"
        for statement in as_list(document["Statement"]):
            allow = statement["Effect"] == "Allow"
            generous = (reading is Reading.MOST) is allow
            whole = statement if "Resource" in statement else {**statement, "Resource": "*"}
            who = _named(statement, subject, session, generous=generous)
            if who and matches(whole, request, generous=generous, new=new):
                granted |= who if allow else set()
                denied = denied or not allow
    return granted, denied


def permits(
    world: World,
    actor: Actor,
    session: str,
    request: Request,
    reading: Reading,
    *,
    resource: tuple[object, ...],
    needs_resource: bool = False,
) -> bool:
    """Whether one request of a role's session goes through, its resource's policies included.

    ``needs_resource``: the resource's policy must at least name the account (sts:AssumeRole).
    """
    subject = actor.subject
    granted, denied = resource_layer(resource, subject, session, request, reading)
    own, own_denied = layer(subject.policies, request, reading)
    if denied or own_denied:
        return False
    for level in world.bound():
        allowed, level_denied = layer(level, request, reading)
        if level_denied or not allowed:
            return False
    bounded = True
    if subject.boundary is not None:
        bounded, boundary_denied = layer([subject.boundary], request, reading)
        if boundary_denied:
            return False
    if granted & {SESSION} or (ANY in granted and reading is Reading.MOST):
        return True
    if granted & {ROLE, ANY}:
        return bounded
    return own and bounded and (bool(granted) or not needs_resource)


def facts(world: World) -> dict[str, str]:
    """Return what the account adds to what is known of its callers."""
    return {} if world.levels is None else {"aws:principalorgid": world.organization}


def sessions(actor: Actor, documents: Iterable[object]) -> Iterator[str]:
    """Yield the session names to try: CodeBuild's form, and those that policies name."""
    yield "AWSCodeBuild-1"
    mark = f":assumed-role/{actor.name}/"
    for document in documents:
        statements = as_list(load(document)["Statement"])
        for statement in (one for one in statements if {"Principal", "NotPrincipal"} & set(one)):
            yield from (n.rpartition("/")[2] for n in principals(statement)[0] if mark in n)


def sends(world: World, actor: Actor, session: str, request: Request, reading: Reading) -> bool:
    """Whether one authorisation check of a send passes."""
    context = {
        **request.context,
        **facts(world),
        "aws:userid": f"{actor.subject.role_id}:{session}",
    }
    request = Request(request.action, request.resource, context)
    grants = world.grants.get(request.resource, ()) if request.action in COVERED else ()
    return permits(world, actor, session, request, reading, resource=grants)
