"""What is remembered is used again, and memory has an end: the last used is what stays."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.engine import answers, memory
from auditor.engine.answers import Answers, Known
from auditor.engine.memory import Memory
from tests.engine.cases import Case, allow, identity

if TYPE_CHECKING:
    import pytest

    from auditor.engine.caller import Caller
    from auditor.engine.decision import Decision
    from auditor.engine.layers import Layer

ONE = Known(None, 7, ())


def test_answers_keep_the_last_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """As many answers as fit; one more, and what was asked for least lately is gone."""
    monkeypatch.setattr(answers, "REMEMBERED", 2)
    known = Answers()
    known.keep("first", ONE)
    known.keep("second", ONE)
    assert known.recall("first") is ONE
    known.keep("third", ONE)
    assert [known.recall(key) for key in ("first", "second", "third")] == [ONE, None, ONE]


def asked(key: str) -> Case:
    """Return a role that a key of its own tells from others."""
    return identity(allow("ses:SendEmail", StringEquals={"aws:SourceVpc": key}))


def test_decisions_keep_the_last_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """As many decisions as fit; one more, and what was asked for least lately is decided anew."""
    monkeypatch.setattr(memory, "REMEMBERED", 2)
    one = Memory()
    roles = {key: asked(key) for key in ("first", "second", "third")}
    layers = {key: case.layers for key, case in roles.items()}

    def decided(key: str) -> Decision:
        return one.decide(roles[key].caller, layers[key])

    first, second = decided("first"), decided("second")
    assert decided("first") is first
    third = decided("third")
    assert decided("first") is first
    assert decided("third") is third
    assert decided("second") is not second


def test_single_allows_are_remembered_up_to_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """An Allow that asks nothing about its role is looked up once for all roles, while it fits."""
    monkeypatch.setattr(memory, "REMEMBERED", 2)
    looked: list[object] = []
    alone = Memory._alone

    def counted(self: Memory, caller: Caller, layers: tuple[Layer, ...]) -> Decision:
        looked.append(layers[0].documents[0].document.statements[0].index)
        return alone(self, caller, layers)

    monkeypatch.setattr(Memory, "_alone", counted)
    case = identity(allow("ses:SendEmail"), allow("ses:SendRawEmail"))
    layers, one = case.layers, Memory()
    assert one._united(case.caller, layers) == one._united(case.caller, layers)
    assert looked == [0, 1]
    more = identity(allow("ses:SendBulkEmail"), allow("ses:SendBounce")).layers
    one._united(case.caller, more)
    one._united(case.caller, more)
    assert looked == [0, 1, 0, 1]
    one._united(case.caller, layers)
    assert looked == [0, 1, 0, 1, 0, 1]
    assert len(one._single) == 2
