"""Fixtures: the real Chalice app on an account in moto."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import botocore.loaders
import pytest
from chalice.test import Client
from moto import mock_aws

from app import app
from chalicelib import troubles
from tests.collect import gaps
from tests.lambda_app import everybody as listeners
from tests.lambda_app import world as worlds

if TYPE_CHECKING:
    from collections.abc import Iterator

LOADER = botocore.loaders.create_loader()  # keeps AWS's service models, read once
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Give fake credentials and no settings, whatever the machine's own environment holds."""
    for name in list(os.environ):
        if name.startswith(("AUDITOR_", "AWS_")):
            monkeypatch.delenv(name)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", worlds.REGION)
    troubles.said.clear()  # each test is a process of its own
    return monkeypatch


@pytest.fixture
def world(environment: pytest.MonkeyPatch) -> Iterator[worlds.World]:
    """An account with an open and a simulator-only role, and settings that fit it."""
    gaps.fill()
    environment.setattr("botocore.session.create_loader", lambda *_: LOADER)
    with mock_aws():
        made = worlds.build()
        environment.setenv("AUDITOR_TOPIC_ARN", made.topic_arn)
        environment.setenv("AUDITOR_REGIONS", worlds.REGION)
        environment.setenv("AUDITOR_HISTORY_TABLE", worlds.HISTORY)
        # The digest has its own tests: these must not hang on the day they run.
        environment.setenv("AUDITOR_DIGEST_DAY", "NEVER")
        yield made


@pytest.fixture
def everybody(
    world: worlds.World, monkeypatch: pytest.MonkeyPatch
) -> Iterator[listeners.Everybody]:
    """The account with every channel configured, and a listener each."""
    with listeners.listening_everywhere(world, monkeypatch) as made:
        yield made


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    """Chalice's own test client, with the environment and the time of the deployed stage."""
    # Its functions have 3 seconds else, whatever the stage says.
    monkeypatch.setattr(
        "chalice.test.LambdaContext.get_remaining_time_in_millis", lambda _: 900_000
    )
    with Client(app, stage_name="prod", project_dir=str(ROOT)) as made:
        yield made
