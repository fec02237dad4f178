"""Who is told first, and what comes when the time is nearly over."""

from __future__ import annotations

import pytest

from auditor.errors import NotifyError
from tests.lambda_app.everybody import ONE_EACH, Everybody, hub_states
from tests.lambda_app.nights import Context, Killed, audit, killed


@pytest.mark.parametrize("slow", ["auditor.notify.securityhub._imported", "chalicelib.store._put"])
def test_people_hear_first(
    everybody: Everybody, monkeypatch: pytest.MonkeyPatch, slow: str
) -> None:
    """A run that is killed while it imports or stores has told everybody by then, and once."""
    with monkeypatch.context() as first:
        first.setattr(slow, killed)
        for _ in range(2):
            with pytest.raises(Killed):
                audit("the same run")
    assert everybody.heard() == ONE_EACH


def test_a_hub_gets_only_the_time_there_is(
    everybody: Everybody, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With less left than one call may take the hub isn't asked: said, and everybody else told."""
    monkeypatch.setattr(Context, "get_remaining_time_in_millis", lambda _: 110_000)
    with pytest.raises(NotifyError, match=r"security-hub: .*time is nearly over"):
        audit()
    assert everybody.heard() == ONE_EACH
    assert hub_states() == {}
