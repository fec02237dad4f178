"""Which roles a request is about, and why nothing is planned for some of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from auditor.corrective.names import MANAGED, policy_arn
from auditor.errors import InputError
from auditor.globs import like
from auditor.remediate.model import Left
from auditor.remediate.request import document_of
from auditor.remediate.room import says, way_for
from auditor.remediate.wording import left, remark, sound
from auditor.scope import is_service_linked

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from auditor.account import Account, PolicyText, Role
    from auditor.corrective.documents import Document
    from auditor.findings import Finding, RoleReport
    from auditor.remediate.model import Way
    from auditor.remediate.request import PlanRequest

CHAIN = "assumable-sender"
"""The rule of a role that is exposed through another one."""


class Chosen(NamedTuple):
    """A role to be changed, what the audit says of it, and how it is to be changed."""

    role: Role
    reported: RoleReport
    way: Way


class Through(NamedTuple):
    """A role that is exposed only through others: ``end`` is the name of the one that sends."""

    role: Role
    reported: RoleReport
    end: str


class Choice(NamedTuple):
    """What becomes of each role that was asked about."""

    changing: tuple[Chosen, ...]
    through: tuple[Through, ...]
    left: tuple[Left, ...]


class _Why(NamedTuple):
    code: str
    text: str


def existing_policy(
    account: Account, roles: Sequence[Role], request: PlanRequest
) -> PolicyText | None:
    """Return the managed policy of our name as the account has it: as found, or as attached."""
    if request.existing is not None:
        return request.existing
    arn = policy_arn(account.partition, account.account_id, request.policy)
    return next((one for role in roles for one in role.attached if one.arn == arn), None)


def choose(
    account: Account,
    roles: Sequence[Role],
    reports: Mapping[str, RoleReport],
    request: PlanRequest,
) -> Choice:
    """Sort the roles of an account; ``reports`` are those of its audit, by ARN.

    Roles that an option matches by a wildcard, or that none names, are told of only if the audit
    has them; one that is named, whatever it is. Raises ``InputError``.
    """
    if request.policy == "sender" and not request.role_globs and request.arns is None:
        raise InputError("the sender opens roles: name the ones that are to have it (--role)")
    asked = _Asked(request, reports)
    document = document_of(request.policy)
    arn = policy_arn(account.partition, account.account_id, request.policy)
    barred = _barred(existing_policy(account, roles, request), request)
    changing: list[Chosen] = []
    through: list[Through] = []
    lefts: list[Left] = list(_nowhere(request, roles))
    for role in sorted(roles, key=lambda role: role.arn):
        if not asked.about(role):
            continue
        reported = reports.get(role.arn)
        why = _unfit(role, reported, request) or _settled(reported, request)
        if why is None and reported is not None:
            chain = None if request.policy == "sender" else _chain(reported)
            if chain is not None:
                through.append(Through(role, reported, chain))
                continue
            why = barred or _already(arn, role, request, document)
            way = way_for(role, request, document)
            if why is None and way in ("attach", "inline"):
                changing.append(Chosen(role, reported, "inline" if way == "inline" else "attach"))
                continue
            why = why or _Why("quota", f"there is no room for another policy: {way}.")
        if why is not None:
            lefts.append(left(role, reported, *why))
    return Choice(tuple(changing), tuple(through), tuple(lefts))


class _Asked:
    """Which roles a request is about."""

    def __init__(self, request: PlanRequest, reports: Mapping[str, RoleReport]) -> None:
        self._guard = request.policy == "guard"
        self._reports = reports
        self._arns = None if request.arns is None else frozenset(request.arns)
        self._names = frozenset(one for one in request.role_globs if not _wild(one))
        self._globs = [like(one) for one in request.role_globs if _wild(one)]
        self._all = not request.role_globs

    def about(self, role: Role) -> bool:
        """Tell whether a role is one of them."""
        if self._arns is not None and role.arn not in self._arns:
            return False
        named = role.name in self._names or role.arn in self._names
        wild = any(glob.matches(role.name) or glob.matches(role.arn) for glob in self._globs)
        if not (self._all or named or wild):
            return False
        reported = self._reports.get(role.arn)
        if named or (self._all and self._arns is not None):
            return True
        if reported is None:  # one that projects use, and that can't be changed, is told of
            return bool(role.projects)
        return wild or reported.verdict in ("exposed", "undetermined")


def _wild(glob: str) -> bool:
    return "*" in glob or "?" in glob


def _nowhere(request: PlanRequest, roles: Sequence[Role]) -> Iterator[Left]:
    """Yield what was asked for and isn't in the account."""
    arns = {role.arn for role in roles}
    known = arns.union(role.name for role in roles)
    for text in dict.fromkeys(request.role_globs):
        if _wild(text):
            glob = like(text)
            if not any(glob.matches(one) for one in known):
                yield _missing(text, "it matches no role of the account.")
        elif text not in known:
            yield _missing(text, "there is no such role in the account (any more).")
    for arn in dict.fromkeys(request.arns or ()):
        if arn not in arns:
            yield _missing(arn, "there is no such role in the account (any more).")


def _missing(text: str, why: str) -> Left:
    name = sound(text)
    short = name if _wild(name) else name.rpartition("/")[2]
    return Left(role_arn=name, role_name=short, standing=None, why=remark("no-such-role", why))


def _unfit(role: Role, reported: RoleReport | None, request: PlanRequest) -> _Why | None:
    """Return why a role is never changed, whatever its verdict."""
    if is_service_linked(role):
        return _Why("service-linked", "it is a service-linked role: AWS's own, and never changed.")
    if reported is None:
        return _Why("not-codebuild", "it isn't a CodeBuild role, and only those are changed.")
    for glob in request.except_globs:
        if like(glob).matches(role.name) or like(glob).matches(role.arn):
            return _Why("excepted", f"it is excepted by {glob}.")
    return None


def _settled(reported: RoleReport | None, request: PlanRequest) -> _Why | None:
    """Return why a verdict asks for no change."""
    verdict = None if reported is None else reported.verdict
    if reported is not None and verdict == "undetermined":
        text = "it is undetermined, and nothing is planned for what can't be decided"
        return _Why("undetermined", f"{text}: {reported.reason}")
    if request.policy == "guard" and verdict != "exposed":
        return _Why("not-exposed", "it isn't exposed: there is nothing to close.")
    if request.policy == "sender" and verdict == "exposed":
        return _Why("exposed", "it is exposed: close it with the guard before it may send more.")
    return None


def exposing(reported: RoleReport) -> list[Finding]:
    """Return the findings that make a role exposed by its own policies."""
    return [
        one
        for one in reported.findings
        if one.rule != CHAIN and one.witness is not None and one.severity in ("high", "medium")
    ]


def _chain(reported: RoleReport) -> str | None:
    """Return the role through which alone a role is exposed, by name; None for its own."""
    if exposing(reported):
        return None
    for finding in reported.findings:
        if finding.rule == CHAIN:
            owners = [ref.role for ref in finding.statements if ref.role is not None]
            return owners[-1] if owners else None
    return None


def _barred(existing: PolicyText | None, request: PlanRequest) -> _Why | None:
    """Return why the managed policy of our name may not be attached to anything."""
    name = MANAGED[request.policy]
    same = None if existing is None else says(existing, document_of(request.policy))
    if existing is None or same:
        return None
    if same is None:
        text = f"the account has a policy named {name} whose text could not be read"
        return _Why("policy-unread", f"{text}, and nothing is attached that isn't known.")
    text = f"the account's policy {name} says something else than this version of the auditor"
    return _Why("policy-differs", f"{text} would attach: deploy this version's, then plan again.")


def _already(arn: str, role: Role, request: PlanRequest, document: Document) -> _Why | None:
    """Return that the policy is on a role already."""
    name = MANAGED[request.policy]
    attached = any(one.arn == arn for one in role.attached)
    inline = any(one.name == name and says(one, document) for one in role.inline)
    if not attached and not inline:
        return None
    if request.policy == "sender":
        return _Why("already", f"{name} is on it already.")
    text = f"{name} is on it already and it is exposed all the same"
    return _Why("already", f"{text}: a person must look at what lets it send.")
