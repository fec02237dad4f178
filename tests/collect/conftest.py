"""No real credentials, no real files of the person running the tests, no network."""

from __future__ import annotations

import os
from types import SimpleNamespace
from typing import TYPE_CHECKING, NoReturn

import boto3
import botocore.loaders
import pytest
from moto import mock_aws

from tests.collect import gaps
from tests.collect.wire import Wire

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_LOADER = botocore.loaders.create_loader()  # keeps AWS's service models, read once


@pytest.fixture(autouse=True)
def _sealed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Give every test made-up credentials and fail it if anything reaches for the network."""
    gaps.fill()
    for name in list(os.environ):
        if name.startswith("AWS_"):  # AWS_ENDPOINT_URL would even lead moto's calls elsewhere
            monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "testing")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "no-config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "no-credentials"))

    def send(_: object, request: object) -> NoReturn:
        raise AssertionError(f"a test reached for the network: {request}")

    # reading the models anew for each session takes most of a test
    monkeypatch.setattr("botocore.session.create_loader", lambda *_: _LOADER)
    monkeypatch.setattr("botocore.httpsession.URLLib3Session.send", send)


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Collect botocore's pauses between tries instead of sitting them out."""
    pauses: list[float] = []
    monkeypatch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=pauses.append))
    return pauses


@pytest.fixture
def aws() -> Iterator[None]:
    """Put moto in AWS's place."""
    with mock_aws():
        yield


@pytest.fixture
def session(aws: None) -> boto3.Session:  # noqa: ARG001 - sessions see moto only if made in it
    return boto3.Session()


@pytest.fixture
def wire(session: boto3.Session) -> Wire:
    """Return what stands in the network's place for the session's clients."""
    wire = Wire()
    wire.attach(session)
    return wire
