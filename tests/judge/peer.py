"""The peer: ministack's policy evaluator, used as a library on single requests.

Only what a comparison must not trip over is adjusted; the table in README.md has each thing with
the page that settles it. Matching of actions, resources and conditions, and the order of Deny and
Allow, are the peer's own.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .concrete import VARIABLE, as_list, as_text, expand, load
from .operators import text_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import ModuleType

    from .calls import Subject
    from .concrete import Request, Values


class Beyond(Exception):  # noqa: N818 - a reason to leave a role to the other evaluator
    """A document that the peer reads other than IAM; the message says how."""


def find() -> Path | None:
    """Return the file of the peer's evaluator, or None where it isn't installed.

    ``AUDITOR_PEER`` names the folder it was installed into; ``build/peer`` is the usual one.
    """
    usual = Path(__file__).parents[2] / "build" / "peer"
    for place in (Path(os.environ.get("AUDITOR_PEER") or usual), usual):
        path = place / "ministack" / "core" / "iam_evaluator.py"
        if path.is_file():
            return path
    return None


def _module() -> ModuleType:
    path = find()
    if path is None:
        raise FileNotFoundError("the peer isn't installed: see tests/judge/README.md")
    name = "auditor_judge_peer"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
        vars(module)["_resolve_condition_key"] = _from_context
    return sys.modules[name]


def _from_context(key: str, context: Any) -> Any:
    value = context.service_context.get(key.lower())
    return list(value) if isinstance(value, tuple) else value


def _settled(text: str, facts: Mapping[str, Values], *, wildcards: bool) -> str:
    if not VARIABLE.search(text):
        return text
    pattern = expand(text, facts, wildcards=wildcards, variables=True)
    if pattern is None or any(piece in ("*", "?") for piece in pattern):
        raise Beyond("a variable that the peer can't be told of")
    return text_of(pattern)


def _unreadable(operator: str, key: str, values: list[str]) -> str | None:
    """Return why the peer reads a condition other than IAM, or None."""
    bare = operator.removesuffix("ifexists")
    quantifier, _, name = bare.rpartition(":")
    numeric = any(value.replace(".", "").isdigit() for value in values)
    arn = name.startswith("arn") and any(value.count(":") != 5 for value in values)
    reasons = {
        "single-valued on recipients": key == "ses:recipients"
        and not quantifier
        and bare != "null",
        "multi-factor": key == "aws:multifactorauthpresent",
        "ForAnyValue…IfExists": quantifier == "foranyvalue" and operator != bare,
        "Null on several values": bare == "null" and len(values) != 1,
        "binary": name == "binaryequals",
        "epoch seconds": name.startswith("date") and numeric,
        "ARN parts": arn,
    }
    return next((reason for reason, here in reasons.items() if here), None)


def _block(block: Mapping[str, Any], facts: Mapping[str, Values], new: bool) -> dict[str, Any]:
    rewritten: dict[str, Any] = {}
    for operator, keys in block.items():
        for key, wanted in keys.items():
            values = [as_text(value) for value in as_list(wanted)]
            reason = _unreadable(operator.lower(), key.lower(), values)
            if reason:
                raise Beyond(reason)
            if new:
                like = "like" in operator.lower() or "arn" in operator.lower()
                values = [_settled(value, facts, wildcards=like) for value in values]
            rewritten.setdefault(operator, {})[key] = values
    return rewritten


def _places(texts: list[str], facts: Mapping[str, Values], new: bool) -> list[str]:
    plain = [_settled(text, facts, wildcards=True) if new else text for text in texts]
    return [t + ":*" * (5 - t.count(":")) if t.startswith("arn:") else t for t in plain]


def rewrite(document: object, facts: Mapping[str, Values]) -> dict[str, Any]:
    """Return a document in a form that the peer reads as IAM does. Raises Beyond."""
    loaded = load(document)
    new = loaded.get("Version") == "2012-10-17"
    statements = []
    for statement in as_list(loaded["Statement"]):
        if [] in (statement.get("Action"), statement.get("Resource")):
            continue
        changed = {**statement, "Condition": _block(statement.get("Condition", {}), facts, new)}
        for name in ("Resource", "NotResource"):
            if name in statement:
                changed[name] = _places(as_list(statement[name]), facts, new)
        statements.append(changed)
    return {"Version": "2012-10-17", "Statement": statements}


class Peer:
    """The peer's opinion on one role. Raises Beyond where it has none that counts."""

    def __init__(self, subject: Subject, facts: Mapping[str, Values]) -> None:
        self._peer = _module()
        # Full, it stops to remember and compiles every pattern anew.
        vars(self._peer)["_FNMATCH_CACHE"].clear()
        parse = self._peer.parse_policy_document
        self._policies = [parse(rewrite(doc, facts)) for doc in subject.policies]
        bounds = [] if subject.boundary is None else [subject.boundary]
        self._limits = [[parse(rewrite(doc, facts))] for doc in bounds]

    def allows(self, subject: Subject, request: Request) -> bool:
        """Whether the peer allows a request."""
        context = self._peer.EvalContext(
            principal_arn=subject.arn,
            principal_type="AssumedRole",
            principal_account=subject.arn.split(":")[4],
            action=request.action,
            resource_arn=request.resource,
            region=request.resource.split(":")[3],
            service_context=dict(request.context),
        )
        result = self._peer.evaluate(context, self._policies, *self._limits)
        return bool(result.decision == "Allow")
