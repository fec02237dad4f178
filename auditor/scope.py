"""Which roles are audited: those of CodeBuild projects, and those that CodeBuild may assume.

Service-linked roles are left out: their policies are AWS's own and can't be changed.
https://docs.aws.amazon.com/codebuild/latest/userguide/setting-up-service-role.html
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Generic, TypeVar

from auditor.errors import PolicyError
from auditor.globs import like
from auditor.policy.parse import load

if TYPE_CHECKING:
    from collections.abc import Callable

    from auditor.account import Role

_Answer = TypeVar("_Answer")


def is_service_linked(role: Role) -> bool:
    """Tell whether a role's path is that of service-linked roles."""
    return ":role/aws-service-role/" in role.arn


class Repeated(Generic[_Answer]):
    """A question about documents that remembers the last one's answer: most roles trust alike.

    For questions about the texts in a document alone: where Python holds two documents equal, their
    texts are, though a number may stand where the other has true.
    """

    def __init__(self, ask: Callable[[object], _Answer]) -> None:
        self._ask = ask
        self._last: tuple[object, _Answer] | None = None

    def __call__(self, document: object) -> _Answer:
        """Return the answer; what asking raises isn't remembered."""
        if self._last is None or self._last[0] != document:
            self._last = document, self._ask(document)
        return self._last[1]


class Scope:
    """Which roles of one account are audited."""

    def __init__(self) -> None:
        self._trusts = Repeated(trusts_codebuild)

    def holds(self, role: Role) -> bool:
        """Tell whether a role is CodeBuild's. A trust policy that can't be read counts as yes."""
        if is_service_linked(role):
            return False
        if role.projects:
            return True
        try:
            return self._trusts(role.trust.document)
        except PolicyError:
            return True


def in_scope(role: Role) -> bool:
    """Tell whether one role is CodeBuild's."""
    return Scope().holds(role)


def trusts_codebuild(document: object) -> bool:
    """Tell whether a trust policy lets CodeBuild assume its role (conditions taken as met).

    A Deny counts only where it is unconditional. Raises ``PolicyError``.
    """
    raw = load(document).get("Statement")
    entries = raw if isinstance(raw, list) else [raw]
    allowed = False
    for index, entry in enumerate(entries):
        if not isinstance(entry, dict) or entry.get("Effect") not in ("Allow", "Deny"):
            raise PolicyError(f"Statement[{index}]", "not a statement of a trust policy")
        denies = entry["Effect"] == "Deny"
        if not _assumes(entry) or not _names_codebuild(entry, sure=denies):
            continue
        if not denies:
            allowed = True
        elif not entry.get("Condition"):
            return False
    return allowed


def _texts(raw: object) -> list[str]:
    values = raw if isinstance(raw, list) else [raw]
    return [value for value in values if isinstance(value, str)]


def _assumes(entry: dict[str, object]) -> bool:
    if "NotAction" in entry:
        return not any(_matches(text, "sts:assumerole") for text in _texts(entry["NotAction"]))
    return any(_matches(text, "sts:assumerole") for text in _texts(entry.get("Action")))


@lru_cache(maxsize=4_096)
def _matches(pattern: str, action: str) -> bool:
    return like(pattern.lower()).matches(action)


def _names_codebuild(entry: dict[str, object], *, sure: bool) -> bool:
    """Tell whether a statement's principal is (or may be) CodeBuild.

    "AWS JSON policy elements: Principal":
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
    """
    if "NotPrincipal" in entry:
        return not sure and not _is_codebuild(entry["NotPrincipal"])
    principal = entry.get("Principal")
    return principal == "*" or _is_codebuild(principal)


def _is_codebuild(principal: object) -> bool:
    if not isinstance(principal, dict):
        return False
    return any(_service(text) for text in _texts(principal.get("Service")))


@lru_cache(maxsize=4_096)
def _service(text: str) -> bool:
    """Tell CodeBuild's service principals: global, regional, and those of other partitions."""
    low = text.lower()
    return low == "*" or (low.startswith("codebuild.") and ".amazonaws.com" in low)
