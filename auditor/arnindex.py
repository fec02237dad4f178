"""Which of many ARNs a policy's resource patterns match, each distinct pattern tried once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.globs import like

if TYPE_CHECKING:
    from collections.abc import Iterable


class ArnIndex:
    """A fixed set of ARNs to look patterns up in."""

    def __init__(self, arns: Iterable[str]) -> None:
        self._arns = dict.fromkeys(arns)
        self._matched: dict[str, frozenset[str]] = {}

    def matching(self, patterns: Iterable[str]) -> frozenset[str] | None:
        """Return an upper bound of the ARNs that the patterns match; None: any may."""
        found: set[str] = set()
        for pattern in patterns:
            if pattern == "*" or "${" in pattern:
                return None
            found |= self._one(pattern)
        return frozenset(found)

    def _one(self, pattern: str) -> frozenset[str]:
        if "*" not in pattern and "?" not in pattern and pattern.count(":") >= 5:
            return frozenset((pattern,)) if pattern in self._arns else frozenset()
        if pattern not in self._matched:
            # a pattern of fewer than six parts is completed with stars
            whole = pattern if pattern.count(":") >= 5 else f"{pattern}*"
            globs = (like(pattern), like(whole))
            self._matched[pattern] = frozenset(
                arn for arn in self._arns if any(glob.matches(arn) for glob in globs)
            )
        return self._matched[pattern]
