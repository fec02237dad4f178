"""What a snapshot file may look like, and that it means the same in every form."""

from __future__ import annotations

import copy
import io
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from auditor.audit import audit
from auditor.collect.snapshot import read_snapshot
from tests.collect.values import (
    ACCOUNT,
    BUILD,
    READ_ONLY,
    TRUST,
    attached,
    decoded,
    document,
    plain,
    policy,
    role,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from auditor.account import Account

PAGES: list[dict[str, object]] = [
    {
        "RoleDetailList": [
            role(
                "web",
                RolePolicyList=[{"PolicyName": "mail", "PolicyDocument": document()}],
                AttachedManagedPolicies=[attached(BUILD), attached(READ_ONLY)],
                PermissionsBoundary={
                    "PermissionsBoundaryType": "Policy",
                    "PermissionsBoundaryArn": BUILD,
                },
                Tags=[{"Key": "Team", "Value": "shop"}, {"Key": "team", "Value": ""}],
            )
        ],
        "UserDetailList": [{"Arn": f"arn:aws:iam::{ACCOUNT}:user/u"}],
        "GroupDetailList": [],
        "Policies": [policy(READ_ONLY, "s3:Get*")],
        "IsTruncated": True,
        "Marker": "more",
    },
    {
        "RoleDetailList": [
            role("batch", AttachedManagedPolicies=[attached(BUILD)]),
            role("svc", Arn=f"arn:aws:iam::{ACCOUNT}:role/service-role/svc"),
        ],
        "Policies": [policy(BUILD)],
        "IsTruncated": False,
    },
]


def merged(pages: list[dict[str, object]]) -> dict[str, object]:
    """The pages as the CLI prints them by default: one object."""
    whole: dict[str, list[object]] = {}
    for page in pages:
        for key in ("UserDetailList", "GroupDetailList", "RoleDetailList", "Policies"):
            entries = page.get(key, [])
            assert isinstance(entries, list)
            whole.setdefault(key, []).extend(entries)
    return dict(whole)


def read(tmp_path: Path, text: str | bytes) -> Account:
    file = tmp_path / "snapshot.json"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_snapshot(str(file))


FORMS: dict[str, Callable[[list[Any]], str]] = {
    "one object": lambda pages: json.dumps(merged(pages)),
    "one object, indented": lambda pages: json.dumps(merged(pages), indent=4),
    "a list of pages": json.dumps,
    "a page a line": lambda pages: "\n".join(map(json.dumps, pages)) + "\n",
    "a page a line, CRLF": lambda pages: "\r\n".join(map(json.dumps, pages)) + "\r\n\r\n",
    "pages printed one after another": lambda pages: "".join(
        json.dumps(page, indent=2) for page in pages
    ),
    "joined files, each with a mark": lambda pages: "".join(
        "\ufeff" + json.dumps(page) + "\n" for page in pages
    ),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le"])
def test_every_form_and_encoding_gives_the_same_account(
    tmp_path: Path, form: str, encoding: str
) -> None:
    """However the file was made (PowerShell's ``>`` writes UTF-16), it is the same account."""
    text = FORMS[form](PAGES)
    if encoding != "utf-8-sig" or not text.startswith("\ufeff"):
        account = read(tmp_path, text.encode(encoding))
        assert plain(account) == plain(read(tmp_path, json.dumps(merged(PAGES))))


def test_a_role_is_read_whole(tmp_path: Path) -> None:
    """Everything that bears on what a role may do arrives, and managed policies are shared."""
    account = read(tmp_path, json.dumps(PAGES))
    web, batch, svc = account.roles
    assert (account.account_id, account.partition) == (ACCOUNT, "aws")
    assert account.not_evaluated == ("projects", "scps", "identity-policies")
    assert account.failures == ()
    assert (web.arn, web.name, web.role_id) == (
        f"arn:aws:iam::{ACCOUNT}:role/web",
        "web",
        "AROAWEB",
    )
    assert web.tags == {"Team": "shop", "team": ""}
    assert (web.trust.kind, web.trust.document, web.trust.missing) == ("trust", TRUST, None)
    assert [(t.name, t.kind, t.document) for t in web.inline] == [("mail", "inline", document())]
    assert [(t.name, t.arn, t.kind, t.document) for t in web.attached] == [
        ("build", BUILD, "managed", document("ses:SendRawEmail")),
        ("ReadOnlyAccess", READ_ONLY, "aws-managed", document("s3:Get*")),
    ]
    assert web.boundary
    assert (web.boundary.kind, web.boundary.arn) == ("boundary", BUILD)
    assert web.boundary.document == document("ses:SendRawEmail")
    assert web.attached[0] is batch.attached[0]
    assert web.boundary is not web.attached[0]
    assert (svc.name, svc.boundary, svc.projects) == ("svc", None, ())


def test_standard_input(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """``-`` reads standard input as bytes, so that its encoding is told like a file's."""
    data = json.dumps(PAGES).encode("utf-16")
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(data)))
    assert plain(read_snapshot("-")) == plain(read(tmp_path, json.dumps(PAGES)))


_documents = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
).map(lambda value: {"Version": "2012-10-17", "Statement": value})
_names = st.text(st.characters(blacklist_categories=["Cs"]), min_size=1, max_size=8)
_roles = st.lists(
    st.builds(
        lambda name, inline, tags: role(
            name.replace("/", "-"),
            RolePolicyList=[{"PolicyName": "p", "PolicyDocument": d} for d in inline],
            AttachedManagedPolicies=[attached()],
            Tags=[{"Key": key, "Value": value} for key, value in tags.items()],
        ),
        _names,
        st.lists(_documents, max_size=2),
        st.dictionaries(_names, _names, max_size=2),
    ),
    max_size=4,
    unique_by=lambda entry: str(entry["Arn"]),
)


def _in_text(value: object, *, url: bool) -> object:
    """A page with every document as JSON text, URL-encoded as on IAM's wire or plain."""
    if isinstance(value, list):
        return [_in_text(item, url=url) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        key: (quote(json.dumps(item), safe="") if url else json.dumps(item))
        if key.endswith("Document")
        else _in_text(item, url=url)
        for key, item in value.items()
    }


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(_roles, min_size=1, max_size=3), st.data())
def test_file_form_and_document_form_never_matter(
    tmp_path: Path, roles: list[list[dict[str, object]]], data: st.DataObject
) -> None:
    """Law: form of the file x form of its documents -> one and the same account."""
    seen: set[str] = set()
    pages: list[dict[str, object]] = []
    for group in roles:
        fresh = [entry for entry in group if str(entry["Arn"]) not in seen]
        seen.update(str(entry["Arn"]) for entry in fresh)
        pages.append({"RoleDetailList": fresh, "Policies": []})
    pages[data.draw(st.integers(0, len(pages) - 1))]["Policies"] = [policy()]
    expected = plain(read(tmp_path, json.dumps(merged(pages))))
    for form in FORMS.values():
        assert plain(read(tmp_path, form(pages))) == expected
        for url in (True, False):
            assert (
                plain(read(tmp_path, form([_in_text(page, url=url) for page in pages]))) == expected
            )


def test_documents_pass_through_untouched(tmp_path: Path) -> None:
    """Reading documents is the policy floor's work: whatever stands there arrives as it was."""
    for value in ("%7B%7D", "{", 5, [1], {"Statement": "x"}, "", False):
        page = {
            "RoleDetailList": [role(RolePolicyList=[{"PolicyName": "p", "PolicyDocument": value}])]
        }
        (one,) = read(tmp_path, json.dumps(page)).roles
        assert one.inline[0].document == value
        assert one.inline[0].missing is None


def test_names_pass_through_untouched(tmp_path: Path) -> None:
    """Control characters and markup are the renderers' to escape; the value stays what it is."""
    name = "a\x1b[31m\n<b>\u202e\ud800"
    (one,) = read(tmp_path, json.dumps({"RoleDetailList": [role(name)]})).roles
    assert (one.name, one.arn) == (name, f"arn:aws:iam::{ACCOUNT}:role/{name}")


def test_one_object_in_place_of_a_list(tmp_path: Path) -> None:
    """Tools that turn XML into JSON write a lone entry without its list: it counts all the same."""
    plural = role(
        RolePolicyList=[{"PolicyName": "mail", "PolicyDocument": document()}],
        AttachedManagedPolicies=[attached()],
        Tags=[{"Key": "a", "Value": "b"}],
    )
    managed = policy(PolicyVersionList=[policy()["PolicyVersionList"][1]])  # type: ignore[index]
    single = copy.deepcopy(plural)
    for key in ("RolePolicyList", "AttachedManagedPolicies", "Tags"):
        single[key] = single[key][0]  # type: ignore[index]
    alone = {**managed, "PolicyVersionList": managed["PolicyVersionList"][0]}  # type: ignore[index]
    assert plain(
        read(tmp_path, json.dumps({"RoleDetailList": single, "Policies": alone}))
    ) == plain(read(tmp_path, json.dumps({"RoleDetailList": [plural], "Policies": [managed]})))


def test_absent_and_unknown_keys(tmp_path: Path) -> None:
    """A role needs its ARN and trust policy alone; keys that nobody knows are left be."""
    bare = {"Arn": f"arn:aws-cn:iam::{ACCOUNT}:role/p/bare", "AssumeRolePolicyDocument": TRUST}
    page = {"RoleDetailList": [{**bare, "New": {"x": 1}}], "ResponseMetadata": {}, "New": 1}
    account = read(tmp_path, json.dumps(page))
    (one,) = account.roles
    assert (account.partition, one.name, one.role_id) == ("aws-cn", "bare", "")
    assert (one.tags, one.inline, one.attached, one.boundary) == ({}, (), (), None)
    assert account.failures == ()


V2 = {"Document": document("ses:SendRawEmail"), "VersionId": "v2", "IsDefaultVersion": True}


@pytest.mark.parametrize(
    ("entry", "action", "why"),
    [
        ({}, "ses:SendRawEmail", ""),
        ({"DefaultVersionId": None}, "ses:SendRawEmail", ""),
        ({"PolicyName": None}, "ses:SendRawEmail", ""),
        ({"DefaultVersionId": "v1"}, "", "contradicts itself"),
        ({"DefaultVersionId": "v3"}, "", "contradicts itself"),
        ({"DefaultVersionId": 2}, "", "contradicts itself"),
        ({"PolicyVersionList": [{**V2, "IsDefaultVersion": False}]}, "", "contradicts itself"),
        ({"PolicyVersionList": [{**V2, "IsDefaultVersion": None}]}, "ses:SendRawEmail", ""),
        ({"PolicyVersionList": [V2, V2]}, "", "more than one version"),
        ({"PolicyVersionList": [V2, {**V2, "VersionId": "v3"}]}, "", "more than one version"),
        ({"DefaultVersionId": "v3", "PolicyVersionList": [{"VersionId": "v2"}]}, "", "no version"),
        ({"PolicyVersionList": []}, "", "no version"),
        ({"PolicyVersionList": None}, "", "no list of versions"),
        ({"PolicyVersionList": [{"VersionId": "v2"}]}, "", "no document"),
        ({"PolicyVersionList": [5, "v2"]}, "", "no version"),
    ],
)
def test_only_the_default_version_counts(
    tmp_path: Path, entry: dict[str, Any], action: str, why: str
) -> None:
    """The default version's document is used; where which one that is isn't clear, none is."""
    page = {
        "RoleDetailList": [role(AttachedManagedPolicies=[attached()])],
        "Policies": [policy(**entry)],
    }
    (one,) = read(tmp_path, json.dumps(page)).roles
    (text,) = one.attached
    assert text.name == "build"
    if action:
        assert (text.document, text.missing) == (document(action), None)
    else:
        assert text.document is None
        assert why in (text.missing or "")


def test_a_policy_that_is_not_in_the_file_is_missing_out_loud(tmp_path: Path) -> None:
    """Attached or a boundary: a policy without its document says which, why, and what to do."""
    boundary = {"PermissionsBoundaryArn": READ_ONLY}
    entry = role(AttachedManagedPolicies=[attached()], PermissionsBoundary=boundary)
    (one,) = read(tmp_path, json.dumps({"RoleDetailList": [entry]})).roles
    assert one.boundary
    for text, arn in ((one.attached[0], BUILD), (one.boundary, READ_ONLY)):
        assert text.document is None
        assert text.missing
        assert text.arn == arn
        assert "--filter" in text.missing


def test_two_documents_under_one_arn_are_none(tmp_path: Path) -> None:
    """Which of two differing documents is in force can't be told: neither is believed."""
    page = {
        "RoleDetailList": [role(AttachedManagedPolicies=[attached()])],
        "Policies": [policy(), policy(action="s3:*"), policy()],
    }
    (one,) = read(tmp_path, json.dumps(page)).roles
    assert one.attached[0].document is None
    assert "twice" in (one.attached[0].missing or "")
    page["Policies"] = [policy(), policy()]
    (one,) = read(tmp_path, json.dumps(page)).roles
    assert one.attached[0].document == document("ses:SendRawEmail")


@pytest.mark.parametrize(
    ("key", "value"), [("IsTruncated", True), ("NextToken", "eyJ"), ("Marker", "AAA")]
)
def test_a_file_that_ends_early_makes_the_audit_incomplete(
    tmp_path: Path, key: str, value: object
) -> None:
    """Pages that are missing behind the last one are a failure, never silence."""
    account = read(tmp_path, json.dumps([*PAGES, {"RoleDetailList": [], key: value}]))
    (failure,) = account.failures
    assert failure.where.endswith(key)
    assert "--max-items" in failure.message
    assert len(list(account.roles)) == 3


@pytest.mark.parametrize(
    ("page", "account_id"),
    [
        ({}, ""),
        ({"Policies": [policy(READ_ONLY), policy()]}, ACCOUNT),
        ({"UserDetailList": [{"Arn": f"arn:aws:iam::{ACCOUNT}:user/u"}]}, ACCOUNT),
    ],
)
def test_an_account_without_roles(tmp_path: Path, page: dict[str, object], account_id: str) -> None:
    """No roles is a valid answer; the account's id comes from another entry, or is empty."""
    account = read(tmp_path, json.dumps({"RoleDetailList": [], **page}))
    assert (list(account.roles), account.account_id) == ([], account_id)
    assert account.failures == ()


def test_the_same_page_twice_is_harmless(tmp_path: Path) -> None:
    """Files joined by hand repeat pages: a role stands in the account once."""
    assert plain(read(tmp_path, json.dumps([*PAGES, PAGES[0], PAGES[1]]))) == plain(
        read(tmp_path, json.dumps(PAGES))
    )


BOUNDED = {"PermissionsBoundaryArn": READ_ONLY}
MAIL = {"RolePolicyList": [{"PolicyName": "p", "PolicyDocument": document()}]}


@pytest.mark.parametrize(
    "entries",
    [
        [role("web"), role("web", **MAIL)],
        [role("web", **MAIL), role("web")],
        [role("web", **MAIL), role("web", **MAIL), role("web"), role("web", **MAIL)],
        [role("web"), role("web", AttachedManagedPolicies=[attached()])],
        [role("web", **MAIL), role("web", **MAIL, AssumeRolePolicyDocument=document())],
        [role("web", **MAIL), role("web", **MAIL, RoleId="AROAOTHER")],
        [role("web", **MAIL), role("web", **MAIL, PermissionsBoundary=BOUNDED)],
        [role("web", **MAIL, PermissionsBoundary=BOUNDED), role("web", **MAIL)],
    ],
)
def test_one_role_with_two_contents_is_undetermined(
    tmp_path: Path, entries: list[dict[str, object]]
) -> None:
    """Two entries of one ARN that differ: it is said, and whichever comes first decides nothing."""
    page = {"RoleDetailList": entries, "Policies": [policy(), policy(READ_ONLY)]}
    account = read(tmp_path, json.dumps(page))
    (failure,) = account.failures
    assert "RoleDetailList[" in failure.where
    assert failure.message.startswith(f"arn:aws:iam::{ACCOUNT}:role/web: ")
    assert "twice" in failure.message
    report = audit(account, now=datetime(2026, 11, 23, tzinfo=UTC))
    assert [one.verdict for one in report.roles] == ["undetermined"]
    assert not report.complete


def test_one_role_with_two_sets_of_tags_is_left_out(tmp_path: Path) -> None:
    """Conditions ask for tags: where they aren't known, the role isn't audited, which is said."""
    tagged = role("web", **MAIL, Tags=[{"Key": "a", "Value": "b"}])
    account = read(tmp_path, json.dumps({"RoleDetailList": [tagged, role("web", **MAIL), tagged]}))
    assert list(account.roles) == []
    (failure,) = account.failures
    assert failure.message.startswith(f"arn:aws:iam::{ACCOUNT}:role/web: ")
    assert failure.message.endswith("this role wasn't audited")


def test_two_partitions_of_one_account(tmp_path: Path) -> None:
    """Files of two partitions joined by hand: each role is decided in its own ARN's partition."""
    statement = {"Effect": "Allow", "Action": "ses:SendEmail"}
    here = {**statement, "Resource": f"arn:aws:ses:*:{ACCOUNT}:identity/*"}
    there = {**statement, "Resource": f"arn:aws-cn:ses:*:{ACCOUNT}:identity/*"}
    roles = [
        role(
            name,
            Arn=f"arn:{partition}:iam::{ACCOUNT}:role/{name}",
            RolePolicyList=[{"PolicyName": "p", "PolicyDocument": {"Statement": allow}}],
        )
        for partition, name, allow in (
            ("aws", "a", here),
            ("aws", "b", there),
            ("aws-cn", "c", here),
            ("aws-cn", "d", there),
        )
    ]
    account = read(tmp_path, json.dumps({"RoleDetailList": roles}))
    report = audit(account, now=datetime(2026, 11, 23, tzinfo=UTC))
    verdicts = {one.name: one.verdict for one in report.roles}
    assert verdicts == {"a": "exposed", "b": "no_send", "c": "no_send", "d": "exposed"}
    assert report.complete


def test_decoding_helper_of_these_tests() -> None:
    """The helper that compares documents reads both forms of text."""
    assert decoded("%7B%22a%22%3A%201%7D") == decoded('{"a": 1}') == {"a": 1}
