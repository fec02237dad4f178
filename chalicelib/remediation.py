"""Remediation by hand, or for the nightly audit: a checked event in, what was done out."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import boto3

from auditor.collect.live import read_account
from auditor.collect.regions import home_region
from auditor.collect.single import role_reader
from auditor.corrective.names import policy_arn
from auditor.errors import AuditorError
from auditor.remediate import clients
from auditor.remediate.apply import apply
from auditor.remediate.deciding import decided
from auditor.remediate.journal_table import TableJournal
from auditor.remediate.plan import plan
from auditor.remediate.request import ATTACHED_QUOTA, PlanRequest, document_of
from auditor.remediate.undo import undo
from chalicelib import once, request, telemetry
from chalicelib import settings as config
from chalicelib.request import RemediateRequest
from chalicelib.settings import RemediateSettings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from auditor.account import Role
    from auditor.collect.live import Reading
    from auditor.collect.single import RoleReader
    from auditor.remediate.model import Plan, Result, Standing

LEFT_MAX: Final = 200
"""Roles without a change that one reply names, those that are exposed first; the rest are counted.
A reply that is kept must fit into an item of DynamoDB's (400 KB)."""


def run(event: object, context: Any) -> dict[str, Any]:
    """Plan for the roles that the event names, and apply that, or take a plan back.

    Nothing is changed unless the event says so. Raises InputError for an event that can't be used,
    SettingsError for a bad environment, and AuditorError where the account can't be read or the
    journal is busy.
    """
    try:
        settings = config.read(RemediateSettings)
        wanted = request.read(RemediateRequest, event, "remediate")
        desk = _Desk(settings, wanted)
        if not wanted.apply:
            return desk.planned()
        return once.answer(
            desk.applied if wanted.undo is None else desk.undone,
            request_id=wanted.request_id or str(context.aws_request_id),
            event=wanted.model_dump(mode="json"),
            table=settings.journal_table,
            client=desk.dynamodb,
            context=context,
        )
    except AuditorError as error:
        telemetry.logger.error("%s", error)
        raise


class _Desk:
    """One run: the account as it is read, and what it takes to change it."""

    def __init__(self, settings: RemediateSettings, wanted: RemediateRequest) -> None:
        self._wanted = wanted
        self._regions = wanted.regions or settings.regions
        self._session = boto3.Session()
        self.dynamodb = clients.dynamodb(self._session)
        self._journal = TableJournal(self.dynamodb, settings.journal_table, clock=_now)

    def planned(self) -> dict[str, Any]:
        """Return the plan, nothing done."""
        made = self._plan(*self._read())
        return {"applied": False, "plan": made.model_dump(mode="json", exclude={"left"}),
                **_left(made)}  # fmt: skip

    def applied(self) -> dict[str, Any]:
        """Plan, apply, and return what became of each role."""
        found, reader = self._read()
        made = self._plan(found, reader)
        results = [] if not made.changes else apply(
            made,
            iam=self._iam(found),
            reader=reader,
            journal=self._journal,
            decide=_decider(found),
            document=document_of(made.policy),
            max_changes=self._wanted.max_changes,
            who=found.caller,
            clock=_now,
            sleep=time.sleep,
            progress=_log,
        )  # fmt: skip
        return {"applied": True, "plan_id": made.id, **self._told(results), **_left(made)}

    def undone(self) -> dict[str, Any]:
        """Take a plan back, and return what became of each role."""
        found, reader = self._read()
        plan_id = self._wanted.undo or ""
        results = undo(
            plan_id,
            iam=self._iam(found),
            reader=reader,
            journal=self._journal,
            decide=_decider(found),
            who=found.caller,
            clock=_now,
            sleep=time.sleep,
            progress=_log,
        )
        return {"undone": True, "plan_id": plan_id, **self._told(results)}

    def _read(self) -> tuple[Reading, RoleReader]:
        found = read_account(self._session, regions=self._regions)
        for failure in found.account.failures:
            telemetry.logger.warning(
                "could not be read", extra={"where": failure.where, "error": failure.message}
            )
        return found, role_reader(self._session, found.account.partition)

    def _plan(self, found: Reading, reader: RoleReader) -> Plan:
        account, wanted = found.account, self._wanted
        arn = policy_arn(account.partition, account.account_id, wanted.policy)
        made = plan(
            account,
            PlanRequest(
                policy=wanted.policy,
                role_globs=tuple(wanted.roles),
                except_globs=tuple(wanted.excepted),
                attached_quota=reader.attached_quota() or ATTACHED_QUOTA,
                existing=reader.managed(arn),
            ),
            now=_now(),
        )
        telemetry.logger.info(
            "planned",
            extra={"plan_id": made.id, "changes": len(made.changes), "left": len(made.left)},
        )
        return made

    def _iam(self, found: Reading) -> Any:
        return clients.iam(self._session, home_region(self._session, found.account.partition))

    def _told(self, results: Sequence[Result]) -> dict[str, Any]:
        for one in results:
            telemetry.logger.warning(
                "role remediated" if one.outcome in ("attached", "detached") else "role left",
                extra={"role_arn": one.role_arn, "outcome": one.outcome, "why": one.message},
            )
        return {
            "results": [one.model_dump(mode="json") for one in results],
            "journal_troubles": self._journal.troubles(),
        }


def _decider(found: Reading) -> Any:
    def decide(roles: Sequence[Role]) -> Mapping[str, Standing]:
        return decided(found.account, roles, now=_now())

    return decide


def _left(made: Plan) -> dict[str, Any]:
    """Return why roles have no change: the exposed and the undetermined ones first."""
    loud = ("exposed", "undetermined")
    ordered = sorted(
        made.left, key=lambda one: one.standing is None or one.standing.verdict not in loud
    )
    return {
        "complete": made.complete,
        "left": [one.model_dump(mode="json") for one in ordered[:LEFT_MAX]],
        "left_out": max(0, len(ordered) - LEFT_MAX),
    }


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


def _log(line: str) -> None:
    telemetry.logger.info(line)
