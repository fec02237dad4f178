"""Entries of a journal, for tests."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from auditor.remediate.model import Entry
from tests.remediate.apply_world import ACCOUNT, GUARD, NOW, WHO

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

PLAN = "plan-20261123T030000Z-0123abcd"
STEPS = ["attaching", "attached", "decided", "detaching", "detached", "failed"]


def entry(name: str, step: str, **more: Any) -> Entry:
    return Entry.model_validate(
        {
            "plan_id": PLAN,
            "role_arn": f"arn:aws:iam::{ACCOUNT}:role/{name}",
            "role_name": name,
            "role_id": f"AROA{name.upper()}",
            "account_id": ACCOUNT,
            "policy": "guard",
            "policy_arn": GUARD,
            "policy_sha256": "0" * 64,
            "way": "attach",
            "step": step,
            "at": NOW,
            "who": WHO,
            "seen": "1" * 64,
            "sequence": 1,
            **more,
        }
    )


def entries(**fixed: Any) -> SearchStrategy[Entry]:
    """Any entries of one plan, what others wrote in them included."""
    texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
    return st.builds(
        entry,
        st.sampled_from(["web", "mail"]),
        st.sampled_from(STEPS),
        sequence=st.integers(1, 9),
        message=texts,
        who=texts,
        was_there=st.booleans(),
        at=st.datetimes(timezones=st.just(UTC), min_value=datetime(2020, 1, 1)),  # noqa: DTZ001 - Hypothesis wants it bare
        **{key: st.just(value) for key, value in fixed.items()},
    )
