"""A role as the engine sees it, and the same role with something changed: what if?

A change is made to the documents as they were written, which are then read again, so that what is
decided is a role that could exist.
"""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, NamedTuple

from auditor.account import PolicyText
from auditor.engine.decide import decide
from auditor.engine.layers import Placed
from auditor.policy.parse import load, parse

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from auditor.account import Role
    from auditor.engine.caller import Caller
    from auditor.engine.decision import Decision
    from auditor.engine.layers import IdentityPolicies, Layer, Located
    from auditor.policy.model import Document
    from auditor.standing import Standing

Raw = dict[str, object]
EVERYTHING = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
}


class Edit(NamedTuple):
    """A change to one statement: ``change`` gets it as written, and returns it changed."""

    located: Located
    change: Callable[[Raw], Raw]


class World(NamedTuple):
    """A role's caller, its layers, and the account's SES identities that have policies.

    ``names`` say what each layer is, for people.
    """

    caller: Caller
    layers: tuple[Layer, ...]
    names: tuple[str, ...]
    identities: tuple[IdentityPolicies, ...] = ()

    def decide(self) -> Decision:
        """Ask the engine for the verdict."""
        return decide(self.caller, self.layers, self.identities)

    @property
    def unread(self) -> tuple[str, ...]:
        """Why documents of the role's own layers could not be read."""
        return tuple(dict.fromkeys(reason for layer in self.layers for reason in layer.unread))

    def edited(self, *edits: Edit) -> World:
        """Return the world where statements' documents, wherever they are attached, are edited.

        Raises ``PolicyError`` where IAM wouldn't accept what comes of it.
        """

        def change(placed: Placed) -> Placed:
            mine = [one for one in edits if same(placed.source, one.located.source)]
            return placed._replace(document=_reread(placed.source, mine)) if mine else placed

        return self._each(change)

    def _each(self, change: Callable[[Placed], Placed]) -> World:
        return self._replace(
            layers=tuple(
                layer._replace(documents=tuple(map(change, layer.documents)))
                for layer in self.layers
            ),
            identities=tuple(
                identity._replace(documents=tuple(map(change, identity.documents)))
                for identity in self.identities
            ),
        )

    def plus(self, document: Mapping[str, object]) -> World:
        """Return the world where the role has one more inline policy."""
        source = PolicyText("added", None, "inline", document)
        first, *rest = self.layers
        placed = Placed(source, parse(dict(document)))
        return self._replace(layers=(first._replace(documents=(*first.documents, placed)), *rest))

    def without(self, *indexes: int) -> World:
        """Return the world where some layers (a boundary, a level of SCPs) don't bind the role."""
        return self._replace(
            layers=tuple(one for at, one in enumerate(self.layers) if at not in indexes),
            names=tuple(one for at, one in enumerate(self.names) if at not in indexes),
        )

    def generous(self) -> World:
        """Return the world where every document that could not be read allows everything.

        No document can give a role more than that, whatever it holds.
        """
        return self._replace(
            layers=tuple(_opened(layer) if layer.unread else layer for layer in self.layers)
        )

    def granting(self) -> World:
        """Return the world where the role's policies and its boundary also allow everything.

        That is as far as the policy of an SES identity can go that can't be read.
        """
        own = ("identity", "permissions-boundary")
        return self._replace(
            layers=tuple(_opened(layer) if layer.name in own else layer for layer in self.layers)
        )

    def forgetting(self) -> World:
        """Return the world where documents that could not be read aren't there."""
        return self._replace(layers=tuple(layer._replace(unread=()) for layer in self.layers))


def _opened(layer: Layer) -> Layer:
    source = PolicyText("unread", None, "inline", EVERYTHING)
    placed = Placed(source, parse(EVERYTHING))
    return layer._replace(documents=(*layer.documents, placed), unread=())


def world_of(standing: Standing, role: Role, *, whole: bool = False) -> World:
    """Return a role's world. ``whole`` keeps the statements that can't touch a send action."""
    return World(
        standing.caller(role),
        standing.layers(role, whole=whole),
        standing.names(role),
        tuple(standing.identities),
    )


def same(one: PolicyText, other: PolicyText) -> bool:
    """Tell whether two texts are one policy: a managed policy may be attached in two places."""
    return one is other or (one.arn is not None and one.arn == other.arn)


def written(one: Located) -> Raw:
    """Return a statement as its document has it: a copy."""
    found = _statements(load(one.source.document))[one.statement.index]
    assert isinstance(found, dict)  # noqa: S101 - it was parsed
    return deepcopy(found)


def _statements(top: Mapping[str, object]) -> list[object]:
    raw = top["Statement"]
    return raw if isinstance(raw, list) else [raw]


def _reread(source: PolicyText, edits: Sequence[Edit]) -> Document:
    top = deepcopy(load(source.document))
    entries = _statements(top)
    for located, change in edits:
        entry = entries[located.statement.index]
        assert isinstance(entry, dict)  # noqa: S101 - it was parsed
        entries[located.statement.index] = change(entry)
    top["Statement"] = entries
    return parse(top, attached=source.kind in ("identity-policy", "trust"))
