"""What the policies of SES identities (sending authorization) add to a question, and take away.

https://docs.aws.amazon.com/ses/latest/dg/sending-authorization.html: such a policy covers four of
the send actions. In the identity's own account an Allow that names the role is enough without any
identity policy of the role's; Denies count like any other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from auditor import domains
from auditor.actions import SEND_ACTIONS
from auditor.engine.atoms import Option, Single
from auditor.engine.caller import REGION, USER_ID
from auditor.engine.constraints import Test
from auditor.engine.layers import Located
from auditor.engine.principals import Naming, naming
from auditor.engine.resources import holds
from auditor.globs import exactly

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from auditor.engine.atoms import Atom
    from auditor.engine.caller import Caller
    from auditor.engine.conditions import Setting
    from auditor.engine.layers import IdentityPolicies
    from auditor.policy.model import Statement

COVERED: Final = frozenset(
    ("ses:SendEmail", "ses:SendRawEmail", "ses:SendTemplatedEmail", "ses:SendBulkTemplatedEmail")
)
_COVERED_BITS: Final = sum(
    1 << bit for bit, action in enumerate(SEND_ACTIONS) if action.name in COVERED
)


class Grant(NamedTuple):
    """A statement of an identity's policy that names the role, and how it does."""

    located: Located
    identity: IdentityPolicies
    naming: Naming
    session: str


def grants(identities: Sequence[IdentityPolicies], caller: Caller) -> tuple[Grant, ...]:
    """Return the statements of identities' policies that are about a role's sends."""
    return tuple(
        Grant(Located("identity-policy", placed.source, statement), identity, how, session)
        for identity in identities
        for placed in identity.documents
        for statement in placed.document.statements
        if statement.actions & _COVERED_BITS and statement.principals is not None
        for how, session in (naming(statement.principals, caller),)
        if how is not Naming.NOT and (how is not Naming.ACCOUNT or not statement.allows)
    )


def _here(grant: Grant) -> tuple[Single, Single]:
    """Return what it takes to be at the grant's identity: its region, and its name."""
    region = Test(frozenset((exactly(grant.identity.region),)), inside=True)
    name = Test(frozenset((exactly(grant.identity.name),)), inside=True)
    return (
        Single(REGION, domains.REGION, optional=False, absent=False, test=region),
        Single("identity", domains.RESOURCES["identity"], optional=False, absent=False, test=name),
    )


def applies(grant: Grant, action: int, setting: Setting) -> bool:
    """Tell whether a grant's statement is about an action on its own identity at all."""
    statement = grant.located.statement
    return bool(
        statement.actions & _COVERED_BITS & (1 << action)
        and not setting.elsewhere
        and holds(statement, grant.identity.arn, setting)
    )


def granting(grant: Grant, asked: Sequence[Atom], caller: Caller) -> Option:
    """Return the way to be allowed by an Allow whose conditions ask for ``asked``."""
    atoms: list[Atom] = [*asked, *_here(grant)]
    if grant.naming is Naming.SESSION:
        atoms.append(as_session(grant.session, caller))
    return Option(tuple(atoms), (), grant.located)


def past_boundary(how: Naming, statement: Statement, *, least: bool) -> bool:
    """Tell whether a grant that names the caller so reaches past a boundary that doesn't allow.

    A role that ``aws:PrincipalArn`` names is bounded like one that ``Principal`` names.
    """
    if how is Naming.EVERYONE and not least:
        return all(condition.key != "aws:principalarn" for condition in statement.conditions)
    return how is Naming.SESSION


def as_session(session: str, caller: Caller) -> Single:
    """Return what it takes to be one session of the role."""
    test = Test(frozenset((exactly(f"{caller.role_id}:{session}"),)), inside=True)
    domain = caller.key(USER_ID, None).domain
    return Single(USER_ID, domain, optional=False, absent=False, test=test)


def elsewhere(grant: Grant) -> Iterator[Option]:
    """Yield the ways not to be at a Deny's identity."""
    for atom in _here(grant):
        if atom.test is not None:
            yield Option((atom._replace(test=atom.test.negated()),))


def denies(grant: Grant, setting: Setting) -> bool:
    """Tell whether a grant is a Deny that must be got round: another session's needn't be."""
    statement: Statement = grant.located.statement
    avoidable = grant.naming in (Naming.SESSION, Naming.DOUBTFUL)
    return not statement.allows and (setting.least or not avoidable)
