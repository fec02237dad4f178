"""An account where all is well, for the command line to run in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from moto import mock_aws

from tests.smoke.cli import Cli
from tests.smoke.world import REGION, mailed_outside, read_once

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Cli]:
    """An account where all is well. At the end, nobody outside the simulator has mail."""
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE", "AWS_SESSION_TOKEN", "CODEBUILD_BUILD_ID"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    read_once(monkeypatch)
    with mock_aws():
        found = Cli(monkeypatch, capsys)
        yield found
        assert mailed_outside() == found.outside
