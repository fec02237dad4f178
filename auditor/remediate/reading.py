"""Plans and reports as files: written, and read back; one clear line for each kind of bad one."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

from pydantic import ValidationError

from auditor.corrective.names import policy_arn
from auditor.errors import InputError
from auditor.remediate.model import PLAN_VERSION, Plan, sha256_of
from auditor.remediate.request import document_of
from auditor.text import visible

if TYPE_CHECKING:
    from collections.abc import Mapping

REPORT_VERSION: Final = "1"
_ID: Final = re.compile(r"plan-\d{8}T\d{6}Z-[0-9a-f]{8}", re.ASCII)
_SHOWN: Final = 60
"""Characters of a bad value in a message."""


def plan_json(plan: Plan) -> str:
    """Return a plan as the JSON text of its file: ASCII, the same bytes for the same plan.

    A line a field, and a line an entry of a field's list: ``diff`` shows which roles differ.
    """
    fields = (
        f"  {json.dumps(name)}: {_lines(value) if isinstance(value, list) else json.dumps(value)}"
        for name, value in plan.model_dump(mode="json").items()
    )
    return "{\n" + ",\n".join(fields) + "\n}\n"


def _lines(entries: list[object]) -> str:
    if not entries:
        return "[]"
    return "[\n" + ",\n".join(f"    {json.dumps(entry)}" for entry in entries) + "\n  ]"


def read_plan(text: str, where: str) -> Plan:
    """Return the plan in a file's text; ``where`` names the file in messages.

    Refuses, with ``InputError``, what isn't a plan that this version made and nobody has edited
    since: a plan says what was proven, and that holds for what it said then.
    """
    text = text.removeprefix("\ufeff")
    top = _object(text, where, "a plan of 'auditor remediate'")
    version = top.get("plan_version")
    if version is None:
        raise InputError(f"{where}: isn't a plan: it has no plan_version")
    if version != PLAN_VERSION:
        raise InputError(
            f"{where}: is a plan of version {_shown(version)}, and this auditor reads"
            f" {PLAN_VERSION}: update the auditor, or plan again"
        )
    try:
        found = Plan.model_validate_json(text)
    except ValidationError as error:
        raise InputError(f"{where}: isn't a plan: {_first(error)}") from None
    _check(found, where)
    return found


def _check(found: Plan, where: str) -> None:
    """Refuse a plan that is well formed, and still not one to apply."""
    if found.policy_sha256 != sha256_of(document_of(found.policy)):
        raise InputError(
            f"{where}: was made for another text of the {found.policy} than this version of the"
            " auditor attaches: plan again"
        )
    if found.policy_arn != policy_arn(found.partition, found.account_id, found.policy):
        raise InputError(
            f"{where}: policy_arn {_shown(found.policy_arn)} isn't that of the {found.policy} in"
            " its account: plan again"
        )
    head = f"arn:{found.partition}:iam::{found.account_id}:role/"
    seen: set[str] = set()
    for number, one in enumerate(found.changes):
        place = f"{where}: changes[{number}]"
        named = one.role_arn.rpartition("/")[2] == one.role_name
        if not one.role_arn.startswith(head) or not named:
            raise InputError(f"{place}: {_shown(one.role_arn)} isn't that role of its account")
        if one.role_arn in seen:
            raise InputError(f"{place}: {_shown(one.role_arn)} is there twice")
        seen.add(one.role_arn)
    from auditor.remediate.plan import id_of

    if not _ID.fullmatch(found.id) or found.id != id_of(found):
        raise InputError(f"{where}: was changed after it was made (its id doesn't fit): plan again")


def roles_of_report(text: str, where: str, account_id: str) -> tuple[str, ...]:
    """Return the ARNs of the exposed roles in a JSON report of ``auditor scan``, sorted.

    Raises ``InputError`` where it isn't one, or tells of another account than ``account_id``.
    """
    top = _object(text.removeprefix("\ufeff"), where, "a report of 'auditor scan --format json'")
    version, roles = top.get("schema_version"), top.get("roles")
    if version is None or not isinstance(roles, list):
        what = "schema_version" if version is None else "list of roles"
        raise InputError(f"{where}: isn't a report of 'auditor scan --format json': no {what}")
    if version != REPORT_VERSION:
        raise InputError(
            f"{where}: is a report of version {_shown(version)}, and this auditor reads"
            f" {REPORT_VERSION}: update the auditor, or scan again"
        )
    if top.get("account_id") != account_id:
        raise InputError(
            f"{where}: tells of account {_shown(top.get('account_id'))}, and this one is"
            f" {visible(account_id)}"
        )
    found: set[str] = set()
    for number, one in enumerate(roles):
        arn = one.get("arn") if isinstance(one, dict) else None
        verdict = one.get("verdict") if isinstance(one, dict) else None
        if not isinstance(arn, str) or not isinstance(verdict, str):
            raise InputError(f"{where}: roles[{number}]: has no arn or no verdict")
        if verdict == "exposed":
            found.add(arn)
    return tuple(sorted(found))


def _object(text: str, where: str, what: str) -> Mapping[str, object]:
    try:
        found = json.loads(text)
    except RecursionError:
        raise InputError(f"{where}: isn't {what}: nested too deeply") from None
    except ValueError as error:
        raise InputError(f"{where}: isn't JSON ({visible(str(error))}); give {what}") from None
    if not isinstance(found, dict):
        raise InputError(f"{where}: isn't {what}: its top is no object")
    return found


def _first(error: ValidationError) -> str:
    """Return the first thing wrong, with its place."""
    one = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(map(str, one["loc"])) or "the top"
    more = error.error_count() - 1
    rest = f" (and {more} more)" if more else ""
    return visible(f"{place[:_SHOWN]}: {one['msg']}{rest}")


def _shown(value: object) -> str:
    text = visible(value) if isinstance(value, str) else f"{type(value).__name__}"
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
