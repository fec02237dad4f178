"""Laws of the shortened reply."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from chalicelib import reply

# Letters that json writes in one, two, six and twelve bytes.
TEXT = 'a"\n\x00é☃😀'

WORST_FIRST = ["exposed", "undetermined", "simulator_only", "no_send"]

# Longer than the frame of any report below without its lists.
FRAME_BYTES = 1000


@st.composite
def reports(draw: st.DrawFn) -> dict[str, Any]:
    """A report's shape, with names of any text and any length."""
    verdicts = draw(st.lists(st.sampled_from(WORST_FIRST), max_size=30))
    return {
        "schema_version": "1",
        "generated_at": "2026-11-23T03:00:00Z",
        "account_id": "123456789012",
        "complete": draw(st.booleans()),
        "summary": {"roles": len(verdicts)},
        "roles": [
            {
                "arn": f"arn:aws:iam::123456789012:role/r{number:04}",
                "verdict": verdict,
                "certainty": draw(st.sampled_from(["proven", "possible"]))
                if verdict == "exposed"
                else None,
                "findings": draw(st.lists(st.text(TEXT, max_size=80), max_size=5)),
            }
            for number, verdict in enumerate(verdicts)
        ],
        "not_evaluated": ["scps"],
        "errors": [
            {
                "where": draw(st.text(TEXT, max_size=40)),
                "message": draw(st.text(TEXT, max_size=300)),
            }
            for _ in range(draw(st.integers(0, 10)))
        ],
    }


@given(reports(), st.integers(FRAME_BYTES, 20_000))
def test_a_reply_always_fits_and_counts_what_it_drops(report: dict[str, Any], limit: int) -> None:
    """Whatever the report: the reply fits, and what it lacks is counted, list by list."""
    answer = reply.fit(report, bucket=None, limit=limit)

    assert reply.size(answer) <= limit
    if reply.size(report) <= limit:
        assert answer is report
        return
    for name in ("roles", "errors"):
        assert len(answer[name]) + answer["left_out"][name] == len(report[name])
        assert all(entry in report[name] for entry in answer[name])
    assert sum(answer["left_out"].values()) > 0
    assert answer["summary"] == report["summary"]


@given(reports(), st.integers(FRAME_BYTES, 20_000))
def test_a_role_is_dropped_only_where_it_does_not_fit(report: dict[str, Any], limit: int) -> None:
    """A worse role gives way to a milder one only where it is the longer of the two."""
    answer = reply.fit(report, bucket=None, limit=limit)

    kept = {role["arn"] for role in answer["roles"]}
    for dropped in (role for role in report["roles"] if role["arn"] not in kept):
        milder = [
            role
            for role in answer["roles"]
            if WORST_FIRST.index(role["verdict"]) > WORST_FIRST.index(dropped["verdict"])
        ]
        assert all(reply.size(role) < reply.size(dropped) for role in milder)
