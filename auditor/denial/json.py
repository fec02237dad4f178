"""What was found, for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.denial.asked import asked_words
from auditor.denial.command import command_of
from auditor.denial.notes import notes_of, reason_of
from auditor.denial.problems import BY_ID

if TYPE_CHECKING:
    from collections.abc import Sequence

    from auditor.denial.look import Seen
    from auditor.denial.model import Denial, Found, Principal

Shape = dict[str, object]


def to_dict(found: Found, seen: Sequence[Seen]) -> Shape:
    """Return what docs/denial.md describes."""
    return {
        "lines": found.lines,
        "not_looked_at": found.unread,
        "callers": [_caller(one) for one in seen],
        "problems": [
            {
                "id": one.row,
                "lines": list(one.lines),
                "times": one.times,
                "what": BY_ID[one.row].what,
                "then": list(BY_ID[one.row].then),
                "details": dict(one.details),
                "source": BY_ID[one.row].source,
            }
            for one in found.troubles
        ],
        "others": [
            {
                "what": one.what,
                "principal": _principal(one.principal),
                "lines": list(one.lines),
                "times": one.times,
            }
            for one in found.others
        ],
    }


def _caller(seen: Seen) -> Shape:
    advice = seen.advice
    return {
        "principal": _principal(advice.principal),
        "projects": [{"name": p.name, "region": p.region, "arn": p.arn} for p in seen.projects],
        "denials": [_denial(one, seen) for one in advice.denials],
        "policy": advice.policy,
        "command": command_of(advice).rstrip("\n") or None,
        "refusals": list(advice.refusals),
        "remark": seen.remark or None,
        "not_evaluated": list(seen.unseen),
        "replaces_inline_policy": seen.replaces,
    }


def _principal(who: Principal | None) -> Shape | None:
    if who is None:
        return None
    return {
        "text": who.text,
        "kind": who.kind,
        "account": who.account or None,
        "name": who.name or None,
        "session": who.session or None,
        "build": who.build or None,
    }


def _denial(denial: Denial, seen: Seen) -> Shape:
    asked = seen.asked(denial)
    project, resource = denial.project, denial.resource
    return {
        "lines": list(denial.lines),
        "times": denial.times,
        "wording": denial.wording or None,
        "operation": denial.operation or None,
        "code": denial.code or None,
        "api": denial.version or None,
        "action": denial.action or None,
        "resource": None if resource is None else resource.text,
        "resource_type": None if resource is None else resource.kind or None,
        "session": denial.principal.session or None if denial.principal else None,
        "build": denial.principal.build or None if denial.principal else None,
        "project": None if project is None else {"name": project.name, "sure": project.sure},
        "why": {
            "outcome": denial.why.outcome,
            "layer": denial.why.layer,
            "policy": denial.why.policy or None,
            "told": reason_of(denial),
        },
        "notes": list(notes_of(denial)),
        "asked": None
        if asked is None
        else {
            "to_simulator": asked.simulated,
            "to_others": asked.real,
            "with_policy": asked.mended,
            "told": list(asked_words(asked)),
        },
    }
