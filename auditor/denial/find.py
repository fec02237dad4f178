"""THE function: a log -> what was refused, what else is wrong with mail, what isn't mail's."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from auditor.actions import SEND_ACTIONS
from auditor.denial.arns import LONGEST, principal_of, suggested_project
from auditor.denial.folded import joined, resource_in
from auditor.denial.model import (
    Context,
    Denial,
    Found,
    Other,
    Principal,
    Project,
    Trouble,
    Why,
)
from auditor.denial.places import LINES, Places
from auditor.denial.problems import ROWS
from auditor.denial.rows import AFTER, BEFORE, NEAR, another_services
from auditor.denial.sdks import BOTOCORE, context_of
from auditor.denial.settled import Call, settle
from auditor.denial.unwrap import Log
from auditor.denial.wordings import FORMS, PASSED, PRINCIPAL, REFUSED, USER, why_of

if TYPE_CHECKING:
    from auditor.denial.places import Place
    from auditor.denial.rows import Row

BUILDS: Final = 8
"""Builds whose project is looked for in the log, each by one search of it."""
BUILD_ID: Final = 36
"""Characters of a build's id, a UUID, by which its project is looked for."""
MENTIONS: Final = 20
"""Places at which a build's id is looked at for its project."""

# the build's ARN, or CODEBUILD_BUILD_ID:
# https://docs.aws.amazon.com/codebuild/latest/userguide/build-env-ref-env-vars.html
_PROJECT: Final = re.compile(
    r"(?:build/|BUILD_ID[=:\"'\s]{1,4})([A-Za-z0-9][A-Za-z0-9_-]{1,149})\Z"
)
_ENCODED: Final = "ncodedauthorizationfailuremessage"
_CALLING: Final = "whencallingthe"  # botocore's form, where the reason may be "Access Denied" alone
_DENIED: Final = re.compile(r"Anerroroccurred\((AccessDenied\w{0,20}|UnauthorizedOperation)\)\Z")
_OPERATION: Final = re.compile(r"(\w{1,80}?)operation")
_SENTENCE: Final = re.compile(r"(?:\(reachedmaxretries:\d+\))?:?.{0,2}(?:User|Youare|arn:)")
_SENDS: Final = {action.name.lower(): action.name for action in SEND_ACTIONS}
_OPERATIONS: Final = frozenset(name.partition(":")[2] for name in _SENDS.values())


def find(text: str) -> Found:
    """Return everything that a text tells of. Takes time in proportion to it."""
    return _Finder(Log(text)).found()


class _Finder:
    """What is found in one log; the same thing told in several forms is one."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._places = Places(log)
        self._denials: dict[Call, list[Denial]] = {}
        self._others: dict[object, list[Other]] = {}
        self._troubles: dict[object, dict[str, list[Trouble]]] = {}
        self._told: set[int] = set()  # lines that a problem has been told of
        self._projects: dict[str, str] = {}

    def found(self) -> Found:
        for place in self._places.of(REFUSED):
            self._add(self._refusal(place))
        for place in self._places.of(_CALLING):
            self._add(self._bare(place))
        for row in ROWS:
            for anchor in (*row.anchors, *(row.also or ())[:1]):
                for place in self._places.of(anchor):
                    self._trouble(row, anchor, place)
        settle(self._denials)
        denials = (_whole(same) for same in self._denials.values())
        troubles = (_alike(same) for same in self._troubles.values())
        others = (_added(same) for same in self._others.values())
        return Found(
            tuple(sorted(denials, key=_lines)),
            tuple(sorted(troubles, key=_lines)),
            tuple(sorted(others, key=_lines)),
            self._log.lines,
            self._places.unread,
            self._log.looked,
        )

    def _add(self, told: Denial | Other | None) -> None:
        if isinstance(told, Denial):
            call = "" if told.action else told.operation
            key = Call(told.principal, told.action, told.resource, told.why, call)
            self._denials.setdefault(key, []).append(told)
        elif told is not None:
            self._others.setdefault((told.what, told.principal), []).append(told)

    def _refusal(self, place: Place) -> Denial | Other | None:
        """Return what a sentence with ``REFUSED`` says; None where it isn't AWS's."""
        passage = self._log.passage(place.start, place.end, place.low, place.high)
        found = next((m for form in FORMS if (m := form.pattern.match(passage.after))), None)
        before, principal = _principal(passage.before)
        if principal is None and PASSED.search(passage.before):
            return None  # a test whose name has the words, and that passed
        if found is None:
            # "You are not authorized to perform this operation. Encoded authorization failure …"
            if _ENCODED in "".join(passage.after[:200].split())[:60]:
                what = "a call whose message is encoded"
                return Other(place.lines, place.times, what, principal)
            return None
        action = "".join(found["action"].split())
        longer = f"{action}{(found.groupdict().get('next') or '').strip()}"
        action = longer if longer.lower() in _SENDS else action
        if action.partition(":")[0].lower() != "ses":
            return Other(place.lines, place.times, action, principal)
        rest = "".join(passage.after[found.end() :].split())
        return Denial(
            place.lines,
            place.times,
            *context_of("".join(before.split()), rest),
            principal,
            _SENDS.get(action.lower(), action),
            resource_in(passage, found),
            why_of(found),
            self._project(principal),
            _ENCODED in rest[:200],
        )

    def _project(self, principal: Principal | None) -> Project | None:
        """Return the project of a build's session: the log may have ``PROJECT:BUILD``."""
        if principal is None or principal.kind != "role":
            return None
        build = principal.build
        # a shorter one may be the beginning of another's
        if len(build) == BUILD_ID and build not in self._projects and len(self._projects) < BUILDS:
            self._projects[build] = self._named(build)
        named = self._projects.get(build, "")
        if named:
            return Project(named, sure=True)
        suggested = suggested_project(principal.name)
        return Project(suggested, sure=False) if suggested else None

    def _named(self, build: str) -> str:
        """Return the project that the log names with a build's id, or ""."""
        text = self._log.squeezed
        at = text.find(f":{build}")
        for _ in range(MENTIONS):
            if at < 0:
                break
            found = _PROJECT.search(self._log.passage(at, at + 1, unfold=True).before)
            if found is not None:
                return found[1]
            at = text.find(f":{build}", at + 1)
        return ""

    def _bare(self, place: Place) -> Denial | Other | None:
        """Return a refusal without AWS's sentence: ``… the PutObject operation: Access Denied``."""
        text = self._log.squeezed
        code = _DENIED.search(text[max(place.low, place.start - 80) : place.start])
        tail = text[place.end : min(place.high, place.end + 200)]
        call = _OPERATION.match(tail)
        if code is None or call is None or _SENTENCE.match(tail, call.end()):
            return None
        if call[1] not in _OPERATIONS:
            return Other(place.lines, place.times, call[1], None)
        version = "2" if code[1] == "AccessDeniedException" else "1"
        context = Context(BOTOCORE, call[1], code[1], version)
        return Denial(place.lines, place.times, *context, None, "", None, Why())

    def _trouble(self, row: Row, anchor: str, place: Place) -> None:
        """Keep a problem. Of a line that tells of several, the rows that say more come first."""
        passage = self._log.passage(place.start, place.end, place.low, place.high, unfold=True)
        near = f"{passage.before[-BEFORE:]}{passage.here}{passage.after[:AFTER]}"
        line = f"{passage.before.rpartition(chr(10))[2]}{passage.here}{passage.after[:AFTER]}"
        if row.shared and (
            not self._told.isdisjoint(place.lines)
            or not NEAR.search(near)
            or another_services(line.partition("\n")[0])
        ):
            return
        if row.also and anchor == row.also[0] and not row.also[1].search(near):
            return
        self._told.update(place.lines)
        details = tuple(
            (label, value[1].strip()[:LONGEST])
            for label, pattern in row.details
            if (value := pattern.search(passage.after, 0, AFTER) or pattern.search(near))
        )
        told = Trouble(place.lines, place.times, row.id, details)
        self._troubles.setdefault((row.id, details), {}).setdefault(anchor, []).append(told)


def _principal(before: str) -> tuple[str, Principal | None]:
    """Return what stands before ``User``, and who it is; the latest ``User`` that fits an ARN."""
    best: tuple[str, Principal | None] = (before, None)
    for user in list(USER.finditer(before))[-6:]:
        found = PRINCIPAL.fullmatch(before, user.end())
        if found is None:
            continue
        text = joined(found["who"])
        if text.startswith("arn:"):
            best = before[: user.start()], principal_of(text)
        elif best[1] is None and text.strip():
            best = before[: user.start()], Principal(" ".join(text.split())[:LONGEST])
    return best


def _lines(one: Denial | Trouble | Other) -> tuple[int, ...]:
    return one.lines


def _together(same: list[Denial] | list[Trouble] | list[Other]) -> tuple[int, ...]:
    return tuple(sorted({line for one in same for line in one.lines})[:LINES])


def _whole(same: list[Denial]) -> Denial:
    """Return the one denial that is told in several forms, with what the best of them says."""
    sure = [one for one in same if one.resource is None or not one.resource.doubt] or same
    best = max(sure, key=lambda one: (bool(one.operation), bool(one.version), bool(one.wording)))
    encoded = any(one.encoded for one in same)
    times = sum(one.times for one in same)
    return best._replace(lines=_together(same), times=times, encoded=encoded)


def _added(same: list[Other]) -> Other:
    return same[0]._replace(lines=_together(same), times=sum(one.times for one in same))


def _alike(same: dict[str, list[Trouble]]) -> Trouble:
    """Return one problem. Several texts of its row may be in one message: the commonest counts."""
    told = [one for by_anchor in same.values() for one in by_anchor]
    times = max(sum(one.times for one in by_anchor) for by_anchor in same.values())
    return told[0]._replace(lines=_together(told), times=times)
