"""boto3 sessions that read AWS's service models once for all of them: most of a client's cost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import boto3
import botocore.loaders

if TYPE_CHECKING:
    import pytest

_LOADER = botocore.loaders.create_loader()


def share_models(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every session that is made from here on share what was read of AWS's models."""
    make = boto3.Session

    def quick(**arguments: Any) -> boto3.Session:
        session = make(**arguments)
        session._session.register_component("data_loader", _LOADER)
        return session

    monkeypatch.setattr(boto3, "Session", quick)
