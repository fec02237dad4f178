"""Deciding roles again in an account that could be read in part only: unknown is never left out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.remediate.deciding import decided
from auditor.remediate.model import Standing
from auditor.remediate.trouble import one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from auditor.account import Account, Role


class Judge:
    """Decides changed roles among an account's others (``interface.Decider``).

    A role that isn't decided is no CodeBuild role, if the account was read whole: these are kept
    in ``others``, by ARN. Where something could not be read nobody knows, and such a role is
    ``undetermined``, with what could not be read as the reason.

    :param clock: the time that conditions see, asked for at each call.
    """

    def __init__(self, account: Account, clock: Callable[[], datetime]) -> None:
        self._account = account
        self._clock = clock
        self.others: set[str] = set()

    def __call__(self, roles: Sequence[Role]) -> Mapping[str, Standing]:
        """Return what the roles can do now, by ARN."""
        found = dict(decided(self._account, roles, now=self._clock()))
        missing = [role.arn for role in roles if role.arn not in found]
        failures = self._account.failures
        if not failures:
            self.others.update(missing)
            return found
        first = failures[0]
        more = f" and {len(failures) - 1:,} more" if len(failures) > 1 else ""
        why = one_line(
            "could not be decided, because the account was read in part only"
            f" (not read: {first.where}: {first.message}{more})"
        )
        unknown = Standing(verdict="undetermined", reason=why)
        return found | dict.fromkeys(missing, unknown)
