"""Which of a role's statements are about an action; actions that the same ones name share it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.engine.caller import RESOURCE_ACCOUNT, USER_ID
from auditor.engine.layers import Located
from auditor.engine.principals import Naming

if TYPE_CHECKING:
    from collections.abc import Sequence

    from auditor.engine.grants import Grant
    from auditor.engine.layers import Layer


class Listed:
    """The statements about one action, or about several that the same statements name.

    ``allows`` and ``denies`` have an entry for each layer. ``about`` holds all of them, layer by
    layer, Allows before Denies, then those of identities' policies (``grants``).
    ``meanings`` tells two listings apart that differ in what a decision hangs on. ``mentioned``
    are the keys that the statements mention, lower case to AWS's spelling. ``account_matters``:
    it may matter whose account a resource is in (an upper bound).
    """

    def __init__(
        self, by_layer: list[list[Located]], grants: Sequence[tuple[int, Grant]], *, session: bool
    ) -> None:
        self.allows = [[one for one in layer if one.statement.allows] for layer in by_layer]
        self.denies = [[one for one in layer if not one.statement.allows] for layer in by_layer]
        self.grants = [grant for _, grant in grants]
        about: list[Located] = []
        meanings: list[int] = []
        for both in zip(self.allows, self.denies, strict=True):
            for listed in both:
                about += listed
                meanings.append(-1)
                meanings += [located.statement.meaning for located in listed]
        meanings += [-2 - index for index, _ in grants]
        about += [grant.located for grant in self.grants]
        self.about = tuple(about)
        self.meanings = tuple(meanings)
        self.mentioned: dict[str, str] = {}
        for located in about:
            self.mentioned.update(located.statement.mentions)
        if session:
            self.mentioned[USER_ID] = "aws:userid"
        # An identity's policy is about that identity of this account, whatever it names: what its
        # Deny refuses, another account's identity of the same name may do.
        self.account_matters = (
            bool(self.grants)
            or RESOURCE_ACCOUNT in self.mentioned
            or any(_names_account(text) for one in about for text in one.statement.resources)
        )


class Listing:
    """The statements of one role's layers and of the identities' policies that name it.

    ``allowed`` are the actions that anything grants, bit by bit: most roles have nothing that does.
    """

    def __init__(self, layers: Sequence[Layer], grants: Sequence[Grant]) -> None:
        self._by_layer = [
            [
                Located(layer.name, placed.source, statement)
                for placed in layer.documents
                for statement in placed.document.statements
            ]
            for layer in layers
        ]
        self._grants = tuple(enumerate(grants))
        self._session = any(grant.naming is Naming.SESSION for grant in grants)
        self._masks = [one.statement.actions for layer in self._by_layer for one in layer]
        self._masks += [grant.located.statement.actions for grant in grants]
        self.allowed = 0
        for located in (*self._by_layer[0], *(grant.located for grant in grants)):
            if located.statement.allows:
                self.allowed |= located.statement.actions
        self._of: dict[int, Listed] = {}
        self._listed: dict[tuple[int, ...], Listed] = {}

    def of(self, action: int) -> Listed:
        """Return what is about an action (its bit)."""
        found = self._of.get(action)
        if found is not None:
            return found
        naming = tuple([mask >> action & 1 for mask in self._masks])
        found = self._listed.get(naming)
        if found is None:
            found = self._listed[naming] = Listed(
                [
                    [one for one in layer if one.statement.actions >> action & 1]
                    for layer in self._by_layer
                ],
                [
                    (index, grant)
                    for index, grant in self._grants
                    if grant.located.statement.actions >> action & 1
                ],
                session=self._session,
            )
        self._of[action] = found
        return found


def _names_account(text: str) -> bool:
    parts = text.split(":", 5)
    return "${" in text or (len(parts) > 4 and parts[4] != "*")
