"""Text that others wrote, on one line."""

from __future__ import annotations

import subprocess
import sys

from hypothesis import given
from hypothesis import strategies as st

from auditor.text import MESSAGE_LIMIT, one_line, without_secrets


@given(st.text(st.characters()), st.integers(1, 50))
def test_one_line_is_printable_and_bounded(text: str, limit: int) -> None:
    """Law: whatever comes in, what goes out fits a terminal's line and can't steer it."""
    line = one_line(text, limit)
    assert line.isprintable()
    assert len(line) <= limit
    assert one_line(line, limit) == line


def test_a_long_message_is_cut_where_it_can_be_seen() -> None:
    """A cut message says so."""
    assert one_line("x" * 10_000) == "x" * (MESSAGE_LIMIT - 1) + "…"


def test_secrets_are_taken_out() -> None:
    """Keys, tokens and passwords don't reach a report; the rest of the message does."""
    for text, left in (
        ("key AKIAIOSFODNN7EXAMPLE is bad", "key (access key hidden) is bad"),
        ("a x-amz-security-token:abc\ndef", "a x-amz-security-token: (hidden)"),
        ("proxy http://me:pw@proxy:80 down", "proxy http://(hidden)@proxy:80 down"),
        ("No match. The String-to-Sign should be 'x\ny'", "No match. "),
        (
            "User: arn:aws:iam::1:user/a is not authorized to perform: iam:X",
            "User: arn:aws:iam::1:user/a is not authorized to perform: iam:X",
        ),
    ):
        assert without_secrets(text) == left


def test_reading_a_file_needs_no_boto3() -> None:
    """boto3 costs a tenth of a second and more: a snapshot is read without it."""
    code = "import sys, auditor.collect.snapshot; sys.exit('boto3' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0  # noqa: S603 - our own interpreter, a fixed line
