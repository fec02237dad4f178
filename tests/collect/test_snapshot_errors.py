"""Input that isn't a snapshot, and entries that are broken."""

from __future__ import annotations

import gc
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from auditor.audit import audit
from auditor.collect.snapshot import read_snapshot
from auditor.errors import SnapshotError
from tests.collect.values import ACCOUNT, BUILD, TRUST, attached, document, policy, role

if TYPE_CHECKING:
    from pathlib import Path

    from auditor.account import Account

NOW = datetime(2026, 11, 23, tzinfo=UTC)
GOOD = json.dumps({"RoleDetailList": [role()]})


def read(tmp_path: Path, data: str | bytes) -> Account:
    file = tmp_path / "snapshot.json"
    file.write_bytes(data if isinstance(data, bytes) else data.encode())
    return read_snapshot(str(file))


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ("", "empty"),
        (" \r\n\t", "empty"),
        ("\ufeff", "empty"),
        ('{"RoleDetailList": [', "it ends in the middle"),
        ('{"RoleDetailList": [}', "line 1, column 21"),
        ('{\n  "RoleDetailList": oops}', "line 2, column 21"),
        (GOOD + "\n" + GOOD[:-9] + "\n", "line 2"),
        ("AUTHDETAILS\tx", "--output json"),
        ("[]", "no RoleDetailList"),
        ("{}", "no RoleDetailList"),
        ("5", "a number"),
        ("true", "true or false"),
        ("null", "null"),
        ('"text"', "a string"),
        ("[[]]", "a list"),
        (json.dumps(document()), "one policy document"),
        (json.dumps({"Roles": [role()]}), "no RoleDetailList"),
        (json.dumps({"UserDetailList": []}), "no RoleDetailList"),
        (json.dumps([{"RoleDetailList": []}, {"x": 1}]), "page 2"),
        (json.dumps([{"RoleDetailList": []}, 7]), "page 2: a number"),
        (json.dumps({"RoleDetailList": "x"}), "RoleDetailList is a string"),
        (json.dumps({"RoleDetailList": None}), "RoleDetailList is null"),
        (json.dumps([{"RoleDetailList": []}, {"RoleDetailList": None}]), "page 2: RoleDetailList"),
        (json.dumps({"RoleDetailList": [], "Policies": 5}), "Policies is a number"),
        ('{"RoleDetailList": ' + "9" * 5000 + "}", "(a number in it has thousands of digits)"),
        ("[" * 5000, "never ends"),
        (b'{"RoleDetailList": [], "x": "\xff"}', "not UTF-8 text (line 1, byte 29)"),
        (b"PK\x03\x04\xff", "not UTF"),
    ],
)
def test_one_line_says_what_where_and_what_to_do(
    tmp_path: Path, data: str | bytes, says: str
) -> None:
    """Whatever isn't a snapshot is refused in one line that helps, by the one error type."""
    with pytest.raises(SnapshotError) as caught:
        read(tmp_path, data)
    line = str(caught.value)
    assert says in line
    assert str(tmp_path) in line
    assert "aws iam get-account-authorization-details" in line
    assert line.isprintable()


def test_a_file_without_a_name() -> None:
    """An empty name, as an unset variable gives it, isn't taken for the current directory."""
    with pytest.raises(SnapshotError, match="--snapshot: no file is named; name one, or -"):
        read_snapshot("")
    with pytest.raises(SnapshotError, match=r"'\\x1b': can't be read"):
        read_snapshot("\x1b")


@pytest.mark.parametrize("name", ["nothing-there.json", ".", "a\0b", "\x1b[31mred\nline"])
def test_a_file_that_cannot_be_read(tmp_path: Path, name: str) -> None:
    """Absent, a directory, an impossible name: one printable line too."""
    with pytest.raises(SnapshotError) as caught:
        read_snapshot(f"{tmp_path}/{name}")
    assert "can't be read" in str(caught.value)
    assert str(caught.value).isprintable()


def test_two_accounts_in_one_file(tmp_path: Path) -> None:
    """One report speaks of one account: two in a file are refused by name."""
    other = role(Arn="arn:aws:iam::999999999999:role/web")
    with pytest.raises(SnapshotError, match=rf"\({ACCOUNT} and 999999999999\)"):
        read(tmp_path, json.dumps({"RoleDetailList": [role(), other]}))
    china = role(Arn="arn:aws-cn:iam::999999999999:role/web")
    with pytest.raises(SnapshotError, match=rf"\({ACCOUNT} and 999999999999\)"):
        read(tmp_path, json.dumps({"RoleDetailList": [role(), china]}))


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        (None, "null"),
        (5, "a number"),
        ("x", "a string"),
        ([], "a list"),
        ({}, "the entry has no Arn"),
        (role(Arn=None), "the entry of role web has no Arn"),
        (role(Arn=5), "the entry of role web has an Arn that isn't a string"),
        (role(Arn="web"), "isn't a role's: web"),
        (role(Arn=f"arn:aws:iam::{ACCOUNT}:user/web"), "isn't a role's"),
        (role(Arn="arn:aws:iam::12:role/web"), "isn't a role's"),
        (role(Tags="x"), f"arn:aws:iam::{ACCOUNT}:role/web: its Tags"),
        (role(Tags=None), f"arn:aws:iam::{ACCOUNT}:role/web: its Tags"),
        (role(Tags=["x"]), "Tags"),
        (role(Tags=[{"Key": "a"}]), "Tags"),
        (role(Tags={"team": "shop"}), "Tags"),
    ],
)
def test_a_malformed_role_costs_that_role_only(tmp_path: Path, entry: object, says: str) -> None:
    """The role is named as a failure with its place, and its neighbours are audited."""
    pages = [{"RoleDetailList": [role("one")]}, {"RoleDetailList": [entry, role("two")]}]
    account = read(tmp_path, json.dumps(pages))
    assert [one.name for one in account.roles] == ["one", "two"]
    (failure,) = account.failures
    assert failure.where.endswith("page 2: RoleDetailList[0]")
    assert says in failure.message
    assert failure.message.endswith("; this role wasn't audited")


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"RolePolicyList": "x"}, "inline"),
        ({"RolePolicyList": None}, "inline"),
        ({"RolePolicyList": False}, "inline"),
        ({"RolePolicyList": ""}, "inline"),
        ({"RolePolicyList": {}}, "inline"),
        ({"AttachedManagedPolicies": None}, "attached"),
        ({"AttachedManagedPolicies": 0}, "attached"),
        ({"AttachedManagedPolicies": {}}, "attached"),
        ({"RolePolicyList": [5]}, "inline"),
        ({"RolePolicyList": [{"PolicyName": "p"}]}, "inline"),
        ({"RolePolicyList": [{"PolicyDocument": None}]}, "inline"),
        ({"AttachedManagedPolicies": 5}, "attached"),
        ({"AttachedManagedPolicies": [BUILD]}, "attached"),
        ({"AttachedManagedPolicies": [{"PolicyName": "p"}]}, "attached"),
        ({"AttachedManagedPolicies": [{"PolicyArn": 5}]}, "attached"),
        ({"PermissionsBoundary": {}}, "boundary"),
        ({"PermissionsBoundary": "x"}, "boundary"),
        ({"PermissionsBoundary": {"PermissionsBoundaryArn": 5}}, "boundary"),
        ({"AssumeRolePolicyDocument": None}, "trust"),
    ],
)
def test_a_part_that_cannot_be_read_is_missing_from_its_role(
    tmp_path: Path, changes: dict[str, Any], part: str
) -> None:
    """The role stays in sight, with a missing policy and its reason where the part would be."""
    account = read(tmp_path, json.dumps({"RoleDetailList": [role(**changes)]}))
    (one,) = account.roles
    found = getattr(one, part)
    (text,) = found if isinstance(found, tuple) else (found,)
    assert text.document is None
    assert text.missing
    assert text.kind == {"attached": "managed"}.get(part, part)
    assert account.failures == ()


@pytest.mark.parametrize("key", ["RolePolicyList", "AttachedManagedPolicies"])
@pytest.mark.parametrize("value", [None, False, 0, "", {}])
def test_policies_that_are_no_list_are_not_taken_for_none(
    tmp_path: Path, key: str, value: object
) -> None:
    """Null is no empty list: a role that would be safe without policies is undetermined."""
    entry = {**role(), key: value}
    account = read(tmp_path, json.dumps({"RoleDetailList": [entry]}))
    (told,) = audit(account, now=NOW).roles
    assert told.verdict == "undetermined"
    assert key in (told.reason or "")
    del entry[key]
    account = read(tmp_path, json.dumps({"RoleDetailList": [entry]}))
    (told,) = audit(account, now=NOW).roles
    assert told.verdict == "no_send"


def test_thousands_of_malformed_roles_are_counted_not_listed(tmp_path: Path) -> None:
    """A report of failures stays readable: a hundred are named and the rest are counted."""
    account = read(tmp_path, json.dumps({"RoleDetailList": [*[None] * 1234, role()]}))
    assert len(account.failures) == 101
    assert "1,134 more" in account.failures[-1].message
    assert len(list(account.roles)) == 1


def test_a_document_nested_beyond_reason_costs_its_role(tmp_path: Path) -> None:
    """Python's JSON reader gives up on such a text as a whole; the other roles are read still."""
    deep = "[" * 100_000 + '"]\\""' + "]" * 100_000
    evil = json.dumps(role("evil", AssumeRolePolicyDocument=0)).replace(": 0", f": {deep}")
    account = read(tmp_path, f'{{"RoleDetailList": [{evil}, {json.dumps(role("web"))}]}}')
    bad, good = account.roles
    assert isinstance(bad.trust.document, list)
    assert (good.name, good.trust.document) == ("web", TRUST)


def test_the_garbage_collector_is_left_as_it_was(tmp_path: Path) -> None:
    """Reading pauses the search for cycles, and ends the pause even when it fails."""
    assert gc.isenabled()
    read(tmp_path, GOOD)
    assert gc.isenabled()
    with pytest.raises(SnapshotError):
        read(tmp_path, "{")
    assert gc.isenabled()
    gc.disable()
    try:
        read(tmp_path, GOOD)
        assert not gc.isenabled()
    finally:
        gc.enable()


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)


@st.composite
def _broken(draw: st.DrawFn, whole: object) -> object:
    """A value with some of its parts replaced by any JSON, or left out."""
    if draw(st.integers(0, 9)) == 0:
        return draw(_json)
    if isinstance(whole, dict):
        kept = {key: item for key, item in whole.items() if draw(st.integers(0, 9)) > 0}
        return {key: draw(_broken(item)) for key, item in kept.items()}
    if isinstance(whole, list):
        return [draw(_broken(item)) for item in whole]
    return whole


_SNAPSHOT = {
    "RoleDetailList": [
        role(
            "web",
            RolePolicyList=[{"PolicyName": "p", "PolicyDocument": document()}],
            AttachedManagedPolicies=[attached()],
            PermissionsBoundary={"PermissionsBoundaryArn": BUILD},
            Tags=[{"Key": "a", "Value": "b"}],
        ),
        role("two"),
    ],
    "Policies": [policy()],
    "IsTruncated": False,
}


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(_broken([_SNAPSHOT, _SNAPSHOT]))
def test_any_json_gives_an_account_or_a_snapshot_error(tmp_path: Path, value: object) -> None:
    """Law: no JSON whatever ends in anything but an account or the one line that users see."""
    error = None
    try:
        account = read(tmp_path, json.dumps(value))
    except SnapshotError as refused:
        error = str(refused)
    if error is None:
        for one in account.roles:
            texts = (
                one.trust,
                *one.inline,
                *one.attached,
                *([one.boundary] if one.boundary else []),
            )
            assert all(text.document is not None or text.missing for text in texts)
    else:
        assert error.isprintable()


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=40) | st.text(max_size=40).map(str.encode))
def test_any_bytes_are_refused_in_one_line(tmp_path: Path, data: bytes) -> None:
    """Law: no file whatever ends in a traceback."""
    with pytest.raises(SnapshotError) as caught:
        read(tmp_path, data)
    assert str(caught.value).isprintable()
