"""From a collected role to what the engine takes: its caller, and the layers it must pass."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from auditor.engine.caller import Caller, hangs_on_caller
from auditor.engine.layers import IdentityPolicies, Layer, Placed
from auditor.errors import PolicyError
from auditor.policy.parse import parse

if TYPE_CHECKING:
    from collections.abc import Iterable

    from auditor.account import Account, PolicyText, Role
    from auditor.engine.layers import LayerName
    from auditor.policy.model import Document

_COLONS: Final = 4
"""How many there are in an ARN before the last of those that end its account."""


class Signed(NamedTuple):
    """A document's number (equal for equal contents in equal places) and what it asks about.

    ``silent``: it says nothing about sends. ``facts`` are the keys it mentions whose values differ
    from role to role.
    """

    number: int
    silent: bool
    facts: tuple[str, ...]


class Documents:
    """Policy documents read once each: a policy attached to many roles is one shared instance."""

    def __init__(self) -> None:
        self._shared: dict[PolicyText, Document | PolicyError] = {}
        self._signed: dict[PolicyText, Signed] = {}
        self._numbers: dict[object, int] = {}
        self._whole: dict[PolicyText, Document | PolicyError] = {}

    def sends(self, source: PolicyText) -> Document | PolicyError:
        """Return a document's statements that can touch a send action, or why it can't be read."""
        if source not in self._shared:
            attached = source.kind in ("identity-policy", "trust")
            self._shared[source] = _parsed(source, every=False, attached=attached)
        return self._shared[source]

    def signed(self, source: PolicyText) -> Signed:
        """Return what a decision, and what is told of it, hangs on in a document."""
        if source not in self._signed:
            found = self.sends(source)
            place = (source.kind, source.name, source.arn)
            if isinstance(found, PolicyError):
                self._signed[source] = Signed(self._number((place, found.what)), False, ())
            else:
                said = tuple((one.meaning, one.sid, one.index) for one in found.statements)
                keys = {key for one in found.statements for key in one.mentions}
                facts = tuple(sorted(filter(hangs_on_caller, keys)))
                self._signed[source] = Signed(self._number((place, said)), not said, facts)
        return self._signed[source]

    def _number(self, key: object) -> int:
        return self._numbers.setdefault(key, len(self._numbers))

    def whole(self, source: PolicyText) -> Document | PolicyError:
        """Return all of a document's statements, or why it can't be read."""
        if source not in self._whole:
            attached = source.kind in ("identity-policy", "trust")
            self._whole[source] = _parsed(source, every=True, attached=attached)
        return self._whole[source]


def _parsed(source: PolicyText, *, every: bool, attached: bool) -> Document | PolicyError:
    if source.missing is not None:
        return PolicyError("", f"could not be read: {source.missing}")
    try:
        return parse(source.document, every=every, attached=attached)
    except PolicyError as error:
        return PolicyError("", f"is not a policy that IAM accepts: {error}")


class Standing:
    """The layers of one account's roles. SCPs and SES identities are read once for all of them."""

    def __init__(self, account: Account, now: int, documents: Documents | None = None) -> None:
        """``documents``: those read before, of this account or of one that shares its texts."""
        self.account = account
        self.now = now
        self.documents = Documents() if documents is None else documents
        organization = account.organization
        self.organization: str | None = None
        if organization is not None:
            self.organization = organization.id
        elif "scps" not in account.not_evaluated:
            self.organization = ""  # asked for, and there is none
        self.scps = tuple(
            self._layer("scp", level.policies)
            for level in (organization.levels if organization is not None else ())
        )
        self.identities = tuple(
            IdentityPolicies(
                identity.arn,
                region.region,
                identity.arn.split(":", 5)[-1],
                layer.documents,
                layer.unread,
            )
            for region in account.ses
            for identity in region.identities
            if identity.policies
            for layer in (self._layer("identity-policy", identity.policies),)
        )

        self.facts = frozenset(
            key
            for documents in (*(layer.documents for layer in self.scps),
                              *(identity.documents for identity in self.identities))
            for placed in documents
            for statement in placed.document.statements
            for key in statement.mentions
            if hangs_on_caller(key)
        )  # fmt: skip

    def home(self, role: Role) -> str:
        """Return a role's ARN up to its account (all of it where it isn't a role's).

        Roles of one home are of one partition and account.
        """
        head, found, _ = role.arn.partition(":role/")
        return head if found and head.count(":") == _COLONS else role.arn

    def caller(self, role: Role) -> Caller:
        """Return what is known of a role's sessions; account and partition are its ARN's."""
        parts = role.arn.split(":", 5)
        whole = len(parts) > _COLONS + 1
        return Caller(
            arn=role.arn,
            account=parts[_COLONS] if whole else self.account.account_id,
            partition=parts[1] if whole else self.account.partition,
            role_id=role.role_id,
            tags={key.lower(): value for key, value in role.tags.items()},
            now=self.now,
            organization=self.organization,
            bounded=role.boundary is not None,
        )

    def layers(self, role: Role, *, whole: bool = False) -> tuple[Layer, ...]:
        """Return a role's layers: identity policies, the boundary if there is one, SCPs by level.

        ``whole`` keeps the statements that can't touch a send action.
        """
        layers = [self._layer("identity", (*role.inline, *role.attached), whole=whole)]
        if role.boundary is not None:
            layers.append(self._layer("permissions-boundary", (role.boundary,), whole=whole))
        return (*layers, *(self._whole_scps() if whole else self.scps))

    def names(self, role: Role) -> tuple[str, ...]:
        """Return what each of a role's layers is, for people."""
        names = ["the role's own policies"]
        if role.boundary is not None:
            arn = f" ({role.boundary.arn})" if role.boundary.arn else ""
            names.append(f"the permissions boundary {role.boundary.name}{arn}")
        organization = self.account.organization
        for level in organization.levels if organization is not None else ():
            policies = ", ".join(policy.name for policy in level.policies) or "none attached"
            target = f"{level.name} ({level.target})"
            names.append(f"the service control policies of {target}: {policies}")
        return tuple(names)

    def trust(self, role: Role) -> Layer:
        """Return a role's trust policy as a layer."""
        return self._layer("trust", (role.trust,), whole=True)

    def has_powers(self, role: Role) -> bool:
        """Tell whether some Allow of a role may name one of ``actions.POWERS``."""
        return any(
            isinstance(document, PolicyError) or document.powers
            for source in (*role.inline, *role.attached)
            for document in (self.documents.sends(source),)
        )

    def _whole_scps(self) -> Iterable[Layer]:
        organization = self.account.organization
        for level in organization.levels if organization is not None else ():
            yield self._layer("scp", level.policies, whole=True)

    def _layer(
        self, name: LayerName, sources: Iterable[PolicyText], *, whole: bool = False
    ) -> Layer:
        placed: list[Placed] = []
        unread: list[str] = []
        for source in sources:
            found = self.documents.whole(source) if whole else self.documents.sends(source)
            if isinstance(found, PolicyError):
                unread.append(f"{_described(name, source)} {found.what}")
            elif found.statements:
                placed.append(Placed(source, found))
        return Layer(name, tuple(placed), tuple(unread))


def _described(layer: str, source: PolicyText) -> str:
    match layer:
        case "permissions-boundary":
            return f"the permissions boundary {source.arn or source.name}"
        case "trust":
            return "the trust policy"
        case "scp":
            return f"the service control policy {source.arn or source.name}"
        case "identity-policy":
            return f"the SES identity policy {source.name}"
    if source.kind == "inline":
        return f"the inline policy {source.name}"
    return f"the policy {source.arn or source.name}"
