"""From what was decided to findings: ids, titles, witnesses, the statements they rest on."""

from __future__ import annotations

from functools import lru_cache
from hashlib import sha256
from typing import TYPE_CHECKING, Final, NamedTuple

from auditor.actions import BOUNCE
from auditor.findings import SEVERITIES, Finding, StatementRef, Witness
from auditor.rules.catalogue import RULES
from auditor.rules.classify import evidence

HANDING_ON: Final = "iam:PassRole"
TRUST_REWRITING: Final = "iam:UpdateAssumeRolePolicy"

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from auditor.account import Role
    from auditor.engine.decision import Decision, Exposure
    from auditor.engine.layers import Layer, Located
    from auditor.engine.powers import Call
    from auditor.findings import Certainty, Severity


def severity_of(exposure: Exposure) -> Severity:
    """Return how much an exposure weighs: high where any build could make the request at once."""
    return "high" if exposure.certainty == "proven" and exposure.plain else "medium"


class Draft(NamedTuple):
    """A finding but for the role it is about: ``tail`` follows the role's name in the title.

    ``on_itself``: the witness's one resource is the role, whichever it is.
    """

    rule: str
    severity: Severity
    certainty: Certainty
    action: str
    tail: str
    witness: Witness | None
    statements: tuple[StatementRef, ...]
    on_itself: bool = False

    def about(self, role: Role) -> Finding:
        """Return the finding on a role."""
        witness = self.witness
        if self.on_itself and witness is not None:
            witness = Witness(witness.action, (role.arn,), witness.context)
        return Finding(
            _id(role.arn, self.rule, self.action),
            self.rule,
            self.severity,
            self.certainty,
            role.name + self.tail,
            witness,
            self.statements,
            _remedy(self.rule),
            roles=(role,),
        )


def order_of(one: Draft | Finding) -> tuple[int, str, str]:
    """Return what findings are sorted by: severity, then rule, then action."""
    return SEVERITIES.index(one.severity), one.rule, one.witness.action if one.witness else ""


def _tail(rule: str, action: str) -> str:
    """Return a rule's sentence without the role's name, which every sentence starts with."""
    return RULES[rule].title.format(role="", action=action)


def draft_exposure(
    rule: str, severity: Severity, exposure: Exposure, layers: Sequence[Layer]
) -> Draft:
    """Draft the finding about a send that AWS would allow."""
    action = exposure.action.name
    bounce = f" may call {action}: it answers received mail only, unchecked."
    return Draft(
        rule,
        severity,
        exposure.certainty,
        action,
        bounce if action == BOUNCE else _tail(rule, action),
        Witness(*exposure.request),
        refs(evidence(exposure, layers)),
    )


def draft_lint(rule: str, located: Located) -> Draft:
    """Draft the finding about a statement of a role that isn't exposed."""
    return Draft(rule, "info", "proven", "", _tail(rule, ""), None, refs((located,)))


@lru_cache(maxsize=64)
def _remedy(rule: str) -> str:
    return f"{RULES[rule].remedy.format()}: see {RULES[rule].page}."


ID_LENGTH: Final = 16
"""Hexadecimal digits of a finding's id: 64 bits, enough for any number of findings."""


def _id(arn: str, rule: str, action: str) -> str:
    """Return an id that stays the same across scans: it hangs on role, rule and action alone."""
    text = f"{arn}\n{rule}\n{action}"
    data = text.encode() if text.isascii() else text.encode("utf-8", "surrogatepass")
    return sha256(data).hexdigest()[:ID_LENGTH]


def refs(located: Iterable[Located], owner: str | None = None) -> tuple[StatementRef, ...]:
    """Return where statements stand, for a report. ``owner`` is whose they are in a chain."""
    return tuple(_ref(one, owner) for one in located)


@lru_cache(maxsize=8_192)
def _ref(one: Located, owner: str | None) -> StatementRef:
    """Return where a statement stands; one reference serves all roles that have the policy."""
    return StatementRef(
        layer=one.layer,
        policy=one.source.name,
        policy_arn=one.source.arn,
        kind=one.source.kind,
        sid=one.statement.sid,
        index=one.statement.index,
        effect="Allow" if one.statement.allows else "Deny",
        role=owner,
        source=one.source,
    )


def chain_finding(
    role: Role,
    way: Sequence[Role],
    certainty: Certainty,
    end: Decision,
    allows: Iterable[tuple[Role, Located]],
    *,
    plain: bool,
) -> Finding:
    """Return the finding about a role that may become, over ``way``, one that is exposed.

    Its witness is the other role's.
    """
    worst = min(end.exposures, key=lambda one: (one.certainty != "proven", not one.plain))
    names = " -> ".join(one.name for one in (role, *way))
    sure = certainty == "proven" and worst.certainty == "proven"
    return Finding(
        id=_id(role.arn, "assumable-sender", worst.action.name),
        rule="assumable-sender",
        severity="high" if sure and plain and worst.plain else "medium",
        certainty="proven" if sure else "possible",
        title=f"{role.name} may become a role that can mail real people: {names}.",
        witness=Witness(*worst.request),
        statements=(
            *(ref for owner, one in allows for ref in refs((one,), owner.name)),
            *refs(worst.allows, way[-1].name),
        ),
        remediation=_remedy("assumable-sender"),
        roles=(role, *way),
    )


def draft_self_granting(calls: Sequence[Call], *, on_itself: bool) -> Draft:
    """Draft the finding about a role that may rewrite its own permissions.

    ``on_itself``: the first call's resource is the role, whichever it is about.
    """
    own: dict[str, None] = {}
    parts: list[str] = []
    for call in calls:
        other = call.resource.rpartition("/")[2]
        if call.action == HANDING_ON:
            parts.append(f"have a service run the exposed role {other} ({call.action})")
        elif call.action == TRUST_REWRITING:
            parts.append(f"let itself into the exposed role {other} ({call.action})")
        elif call.action.startswith("ses:"):
            parts.append(f"have an SES identity grant it sends ({call.action})")
        else:
            own[call.action] = None
    if own:
        parts.insert(0, f"rewrite its own permissions ({', '.join(own)})")
    first = calls[0]
    return Draft(
        "self-granting",
        "low",
        "possible",  # nothing is mailed before the role has used what it may do
        "",
        f" can undo any remedy: it may {' and '.join(parts)}.",
        Witness(first.action, (first.resource,), {}),
        refs(dict.fromkeys(one for call in calls for one in call.allows)),
        on_itself=on_itself,
    )
