"""A story as JSON values for scripts. ``docs/explain.md`` has the fields."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.explain.answer import request_dict, statement_dict
from auditor.explain.tell import advice, reasons, verdict_sentence
from auditor.explain.words import heard_words
from auditor.explain.world import written
from auditor.rules.catalogue import RULES

if TYPE_CHECKING:
    from auditor.engine.decision import Decision
    from auditor.explain.becoming import Becoming
    from auditor.explain.closing import Closing
    from auditor.explain.keeping import Keeping, Removal
    from auditor.explain.story import Story, Way


def to_dict(story: Story) -> dict[str, object]:
    """Return the story as JSON values."""
    undetermined = story.verdict == "undetermined"
    return {
        "schema_version": "1",
        "role": {"arn": story.role.arn, "name": story.role.name},
        "scanned": story.scanned,
        "verdict": story.verdict,
        "certainty": story.certainty,
        "reason": story.reason,
        "summary": verdict_sentence(story),
        "opened": [_way(way) for way in story.ways],
        "closing": None if story.guard is None else _closing(story.guard),
        "simulator": None
        if story.own.simulator is None
        else request_dict(story.own.simulator.request),
        "kept": None if story.keeping is None else _keeping(story.keeping),
        "becomes": None if story.chain is None else story.chain.title,
        "chain": None if story.becoming is None else _becoming(story.becoming),
        "reasons": list(reasons(story)) if undetermined else [],
        "advice": advice(story) if undetermined else [],
        "without_unread": _decision(story.without),
        "if_unread_allows_all": _decision(story.whatever),
        "notes": list(story.own.notes) if story.verdict == "exposed" else [],
        "not_evaluated": list(story.missing),
    }


def _way(way: Way) -> dict[str, object]:
    first = way.exposures[0]
    return {
        "actions": [one.action.name for one in way.exposures],
        "rules": [_rule(one) for one in way.rules],
        "certainty": first.certainty,
        "needs_nothing_else": first.plain,
        "witness": request_dict(first.request),
        "allows": [
            {"statement": statement_dict(one), "written": written(one), "why": list(why)}
            for one, why in way.through
        ],
        "denies": [
            {
                "statement": statement_dict(heard.located),
                "written": written(heard.located),
                "why_not": heard_words(heard),
            }
            for heard in way.missed
        ],
        "doubts": list(way.doubts),
        "closings": [_closing(one) for one in way.closings],
    }


def _becoming(way: Becoming) -> dict[str, object]:
    return {
        "rules": [_rule("assumable-sender"), _rule(way.rule)],
        "steps": [
            {
                "role": step.role.arn,
                "assumes": step.target.arn,
                "certainty": step.call.certainty,
                "allows": [
                    {"statement": statement_dict(one), "written": written(one)}
                    for one in dict.fromkeys(step.call.allows)
                ],
            }
            for step in way.steps
        ],
        "end": way.end.arn,
        "witness": request_dict(way.exposure.request),
        "closings": [_closing(one) for one in way.closings],
    }


def _rule(rule: str) -> dict[str, object]:
    return {"id": rule, "page": RULES[rule].page}


def _closing(one: Closing) -> dict[str, object]:
    return {
        "what": one.what,
        "verdict": one.verdict,
        "policy": one.document,
        "statement": None if one.place is None else statement_dict(one.place),
        "changed": one.statement,
        "opens": list(one.opens),
    }


def _keeping(found: Keeping) -> dict[str, object]:
    return {
        "matter": [_removal(one) for one in (*found.matter, *found.pairs)],
        "idle": [one.what for one in found.idle],
        "unclear": [limit.what for one in found.unclear for limit in one.limits],
        "not_tried": found.left,
        "if_allowed_everything": _decision(found.granted),
    }


def _removal(one: Removal) -> dict[str, object]:
    return {"without": [limit.what for limit in one.limits], **(_decision(one.after) or {})}


def _decision(after: Decision | None) -> dict[str, object] | None:
    if after is None:
        return None
    first = after.exposures[0] if after.exposures else None
    return {
        "verdict": after.verdict,
        "certainty": after.certainty,
        "witness": None if first is None else request_dict(first.request),
    }
