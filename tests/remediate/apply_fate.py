"""Ways to disturb a run: kill it at any moment, refuse it calls, and let it see things late."""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from moto.iam.models import iam_backends

from auditor.account import PolicyText, Role
from auditor.remediate import journal_file
from auditor.remediate.journal_file import FileJournal
from tests.collect.wire import Wire
from tests.remediate.apply_world import ACCOUNT, World, world

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import boto3
    import pytest
    from botocore.awsrequest import AWSPreparedRequest, AWSResponse


class Shortcut:
    """Reads roles out of moto itself, each in no time: ``collect.single`` has tests of its own."""

    def __init__(self, fate: Fate | None = None) -> None:
        self._fate = fate
        self._iam = iam_backends[ACCOUNT]["aws"]

    def role(self, name: str) -> Role | None:
        if self._fate is not None:
            self._fate.met("read")
        found = next((one for one in self._iam.roles.values() if one.name == name), None)
        if found is None:
            return None
        bound = found.permissions_boundary_arn
        boundary = None if bound is None else replace(self._text(bound), kind="boundary")
        trust: object = found.assume_role_policy_document
        inline = [PolicyText(key, None, "inline", text) for key, text in found.policies.items()]
        return Role(
            found.arn,
            name,
            found.id,
            {tag["Key"]: tag["Value"] for tag in found.tags},
            PolicyText("trust policy", None, "trust", trust),
            tuple(inline),
            tuple(self._text(one) for one in found.managed_policies),
            boundary,
        )

    def managed(self, arn: str) -> PolicyText | None:
        if self._fate is not None:
            self._fate.met("read")
        return self._text(arn) if arn in self._iam.managed_policies else None

    def _text(self, arn: str) -> PolicyText:
        policy = self._iam.managed_policies[arn]
        (version,) = [one for one in policy.versions if one.is_default]
        return PolicyText(policy.name, arn, "managed", version.document)


class Killed(BaseException):
    """The run ends here, as if the process had been killed."""


@dataclass
class Fate:
    """Counts a run's calls to AWS and writes to the journal's file, and ends it at one of them.

    ``at`` counts from 1. ``before``: the call never leaves; ``after``: it is carried out, and the
    answer isn't seen; ``torn``: half of the journal's line is written. Ending a run after a call
    that only reads is ending it before the next. Once killed, nothing gets through any more.
    """

    at: int = 0
    when: str = "before"
    seen: list[str] = field(default_factory=list)
    dead: bool = False
    meanwhile: Callable[[], object] | None = None

    def attach(self, session: boto3.Session, monkeypatch: pytest.MonkeyPatch) -> None:
        before: Any = self._before
        after: Any = self._after
        session.events.register_first("before-send", before)
        session.events.register_last("before-send", after)
        write = os.write

        def journaled(file: int, data: bytes) -> int:
            self.met("journal")
            if self.when == "torn" and self.dead:
                write(file, data[: len(data) // 2])
                raise Killed
            done = write(file, data)
            self._carried_out()
            return done

        monkeypatch.setattr(journal_file, "os", _Os(journaled))

    def reset(self, at: int = 0, when: str = "before") -> None:
        self.at, self.when, self.dead = at, when, False
        self.seen.clear()

    def spent(self) -> bool:
        """Whether what was to happen meanwhile has happened."""
        return self.meanwhile is None

    def _before(self, request: Any, **_: object) -> None:
        body = request.body.decode() if isinstance(request.body, bytes) else str(request.body)
        action = body.partition("Action=")[2].partition("&")[0]
        self.met(action or str(request.headers.get("X-Amz-Target")))

    def _after(self, **_: object) -> None:
        self._carried_out()

    def met(self, what: str) -> None:
        if self.dead:
            raise Killed
        self.seen.append(what)
        if len(self.seen) == self.at:
            if self.meanwhile is not None:
                run, self.meanwhile, self.at = self.meanwhile, None, 0
                run()
                return
            self.dead = True
            if self.when == "before":
                raise Killed

    def _carried_out(self) -> None:
        if self.dead:
            raise Killed


class Gate(Wire):
    """A wire of which moto sees only what goes on to it.

    botocore asks every handler, also those after one that answered: moto would carry out a call
    that was refused.
    """

    def _send(self, request: AWSPreparedRequest, **more: object) -> AWSResponse | None:
        answered = super()._send(request, **more)
        if answered is not None:
            request.url = "https://refused.invalid/"
        return answered


class _Os:
    """The module ``os`` with another ``write``, for the journal alone."""

    def __init__(self, write: Callable[[int, bytes], int]) -> None:
        self.write = write

    def __getattr__(self, name: str) -> Any:
        return getattr(os, name)


def unlocked(journal: FileJournal) -> FileJournal:
    """A journal whose lock keeps nobody out."""

    class Unlocked(FileJournal):
        @contextmanager
        def lock(self, owner: str) -> Iterator[Callable[[], None]]:  # noqa: ARG002 - as it is called
            yield lambda: None

    return Unlocked(journal._path)


@contextmanager
def gated(
    monkeypatch: pytest.MonkeyPatch, wire: Gate, names: tuple[str, ...], action: str
) -> Iterator[World]:
    """A world whose calls all pass the wire: the guard, and open roles; retries don't wait."""
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _: None)
    with world(monkeypatch) as made:
        made.eyes = Shortcut
        made.deploy_guard()
        wire.attach(made.session)
        made.iam = made.session.client("iam", config=made.iam.meta.config)
        for name in names:
            made.role(name, action)
        yield made
