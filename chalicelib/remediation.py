"""Remediation by hand, or for the nightly audit: a checked event in, what was done out."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import boto3

from auditor.collect.live import read_account
from auditor.collect.regions import home_region
from auditor.collect.single import role_reader
from auditor.corrective.names import policy_arn
from auditor.errors import AuditorError, InputError
from auditor.remediate import clients
from auditor.remediate.apply import apply
from auditor.remediate.asked import excepted, unattended, unmatched
from auditor.remediate.finish import finish
from auditor.remediate.journal_table import TableJournal
from auditor.remediate.partly import Judge
from auditor.remediate.plan import plan
from auditor.remediate.request import ATTACHED_QUOTA, PlanRequest, document_of
from auditor.remediate.undo import undo
from chalicelib import once, places, remedy_reply, request, telemetry
from chalicelib import settings as config
from chalicelib.kept_plans import KeptPlans
from chalicelib.request import RemediateRequest
from chalicelib.settings import RemediateSettings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from auditor.collect.live import Reading
    from auditor.collect.single import RoleReader
    from auditor.remediate.model import Plan, Result

MARGIN_MS: Final = 120_000
"""Kept of Lambda's time when a run ends early: to read back the role it is at, decide all changed
roles again, and reply. AWS at its slowest can take longer; the same event then goes on."""


def run(event: object, context: Any) -> dict[str, Any]:
    """Plan for the roles that the event names, apply that, go on with it, or take it back.

    Nothing is changed unless the event says so. Raises InputError for an event that can't be used,
    SettingsError for a bad environment, and AuditorError where the account can't be read or the
    journal is busy.
    """
    try:
        settings = config.read(RemediateSettings)
        wanted = request.read(RemediateRequest, event, "remediate")
        request_id = wanted.request_id or str(context.aws_request_id)
        desk = _Desk(settings, wanted, request_id, context)
        if wanted.list_:
            return desk.listed()
        if not wanted.apply:
            return desk.planned()
        return once.answer(
            desk.undone if wanted.undo else desk.finished if wanted.finish else desk.applied,
            request_id=request_id,
            event=wanted.model_dump(mode="json", by_alias=True),
            table=settings.journal_table,
            client=desk.dynamodb,
            context=context,
        )
    except AuditorError as error:
        telemetry.logger.error("%s", error)
        raise


class _Desk:
    """One run: the account as it is read, and what it takes to change it."""

    def __init__(
        self, settings: RemediateSettings, wanted: RemediateRequest, request_id: str, context: Any
    ) -> None:
        self._settings = settings
        self._wanted = wanted
        self._request_id = request_id
        self._context = context
        self._session = boto3.Session()
        self.dynamodb = clients.dynamodb(self._session)
        self._journal = TableJournal(self.dynamodb, settings.journal_table, clock=_now)
        self._plans = KeptPlans(self.dynamodb, settings.journal_table, clock=_now)

    def listed(self) -> dict[str, Any]:
        """Return the plans that the journal knows."""
        return {**remedy_reply.plans(self._journal), **self._troubles()}

    def planned(self) -> dict[str, Any]:
        """Return the plan, nothing done."""
        made = self._plan(*self._read())
        return {"applied": False, "plan_id": made.id, **remedy_reply.planned(made),
                **self._about(made)}  # fmt: skip

    def applied(self) -> dict[str, Any]:
        """Plan and apply; or, for a request whose run was killed, go on with the plan it made."""
        found, reader = self._read()
        begun = self._plans.of_request(self._request_id)
        made = None if begun is None else self._plans.plan(begun)
        if made is None:
            made = self._plan(found, reader)
            if made.changes:
                self._plans.keep(made, self._request_id)
        return self._carried_out(found, reader, made)

    def finished(self) -> dict[str, Any]:
        """Go on with a plan that was begun.

        One that isn't kept here was applied from elsewhere: what that left half done is recorded.
        """
        plan_id = self._wanted.finish or ""
        made = self._plans.plan(plan_id)
        if made is None and plan_id not in self._journal.plans():
            raise InputError(
                f'remediate: the journal knows of no {plan_id}; {{"list": true}} tells its plans'
            )
        found, reader = self._read()
        if made is not None:
            return self._carried_out(found, reader, made)
        return {"applied": False, "plan_id": plan_id, **self._told(found, []),
                "complete": not found.account.failures, "left": [], "left_out": 0,
                **self._begun(found, reader)}  # fmt: skip

    def _carried_out(self, found: Reading, reader: RoleReader, made: Plan) -> dict[str, Any]:
        if not made.changes:
            return {"applied": False, "plan_id": made.id, **self._told(found, []),
                    **self._about(made), **self._begun(found, reader)}  # fmt: skip
        results = apply(
            made,
            document=document_of(made.policy),
            max_changes=self._wanted.max_changes,
            **self._tools(found, reader),
        )
        return {"applied": True, "plan_id": made.id, **self._told(found, results),
                **self._about(made), **_next("finish", made.id, results)}  # fmt: skip

    def _begun(self, found: Reading, reader: RoleReader) -> dict[str, Any]:
        """Record what killed runs of any plan began, and tell it: there is nothing to apply."""
        begun = finish(**self._tools(found, reader))
        results = self._told(found, [one.result for one in begun])
        ids = [one.plan_id for one in begun]
        return {"finished": results["results"], "finished_plans": list(dict.fromkeys(ids))}

    def _tools(self, found: Reading, reader: RoleReader) -> dict[str, Any]:
        """Return what every run works with."""
        home = home_region(self._session, found.account.partition)
        return {
            "iam": clients.iam(self._session, home),
            "reader": reader,
            "journal": self._journal,
            "decide": Judge(found.account, _now),
            "who": found.caller,
            "clock": _now,
            "sleep": time.sleep,
            "progress": _log,
            "until": self._out_of_time,
        }

    def undone(self) -> dict[str, Any]:
        """Take a plan back, and return what became of each role."""
        found, reader = self._read()
        plan_id = self._wanted.undo or ""
        results = undo(plan_id, roles=self._wanted.roles or None, **self._tools(found, reader))
        return {"undone": True, "plan_id": plan_id, **self._told(found, results),
                "complete": not found.account.failures,
                **_next("undo", plan_id, results)}  # fmt: skip

    def _out_of_time(self) -> bool:
        left: int = self._context.get_remaining_time_in_millis()
        return left < MARGIN_MS

    def _read(self) -> tuple[Reading, RoleReader]:
        regions = self._wanted.regions or self._settings.regions
        found = read_account(self._session, regions=regions)
        account = replace(found.account, roles=tuple(found.account.roles))
        for failure in account.failures:
            telemetry.logger.warning(
                "could not be read", extra={"where": failure.where, "error": failure.message}
            )
        return found._replace(account=account), role_reader(self._session, account.partition)

    def _plan(self, found: Reading, reader: RoleReader) -> Plan:
        account, wanted = found.account, self._wanted
        arn = policy_arn(account.partition, account.account_id, wanted.policy)
        place = self._settings.exceptions
        listed = () if place is None else places.exceptions(place, account.account_id)
        now = _now()
        kept = excepted(account, listed, now)
        globs = dict.fromkeys((*wanted.excepted, *self._settings.remediate_except, *kept.globs))
        made = plan(
            account,
            PlanRequest(
                policy=wanted.policy,
                role_globs=tuple(wanted.roles),
                except_globs=tuple(globs),
                attached_quota=reader.attached_quota() or ATTACHED_QUOTA,
                existing=reader.managed(arn),
            ),
            now=now,
        )
        made = kept.told(made)
        if wanted.apply:
            made = unattended(made)
        telemetry.logger.info(
            "planned",
            extra={"plan_id": made.id, "changes": len(made.changes), "left": len(made.left)},
        )
        return made

    def _about(self, made: Plan) -> dict[str, Any]:
        """Return what the plan leaves alone, and what was asked for and isn't there."""
        return {**remedy_reply.left(made), "unmatched": list(unmatched(made, self._wanted.roles))}

    def _told(self, found: Reading, results: Sequence[Result]) -> dict[str, Any]:
        for one in results:
            if one.outcome in remedy_reply.NOT_REACHED:
                continue  # counted; thousands of them are one line in the reply
            telemetry.logger.warning(
                "role remediated" if one.outcome in ("attached", "detached") else "role left",
                extra={"role_arn": one.role_arn, "outcome": one.outcome, "why": one.message},
            )
        lines = [f"{one.where}: {one.message}" for one in found.account.failures]
        reply = remedy_reply.results(results)
        telemetry.logger.info("remediation ended", extra={"outcomes": reply["outcomes"]})
        return {**reply, "not_read": remedy_reply.first(lines), **self._troubles()}

    def _troubles(self) -> dict[str, Any]:
        return {"journal_troubles": remedy_reply.first(self._journal.troubles())}


def _next(key: str, plan_id: str, results: Sequence[Result]) -> dict[str, Any]:
    """Return the event that goes on where a run ended early; nothing where it didn't."""
    if not any(one.outcome in remedy_reply.NOT_REACHED for one in results):
        return {}
    return {"next": {key: plan_id, "apply": True}}


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


def _log(line: str) -> None:
    telemetry.logger.info(line)
