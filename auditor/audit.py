"""THE function: account -> Report. (Being written: the signature is settled.)"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from auditor.account import Account
    from auditor.findings import Report


def audit(account: Account, *, now: datetime, role_globs: Sequence[str] = ()) -> Report:
    """Decide every CodeBuild role of the account and return the report."""
    raise NotImplementedError
