"""Bundles: what goes in comes out, and what isn't one is refused in one line."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import sys
import zlib
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.account import (
    Account,
    Failure,
    Identity,
    Organization,
    PolicyKind,
    PolicyText,
    Project,
    Role,
    ScpLevel,
    SesRegion,
    UnresolvedProject,
)
from auditor.audit import audit
from auditor.collect.bundle import FORMAT, GZIP_MAGIC, VERSION, Bundle, pack, unpack
from auditor.collect.live import collect_account
from auditor.collect.snapshot import read_snapshot
from auditor.errors import SnapshotError
from auditor.report.json import render
from tests.collect.test_live import make_project, make_role
from tests.collect.test_organization import member_of
from tests.collect.values import ACCOUNT, TRUST, document
from tests.collect.wire import Wire, refuse

if TYPE_CHECKING:
    from pathlib import Path

    import boto3

NOW = datetime(2026, 11, 23, 3, tzinfo=UTC)
CALLER = f"arn:aws:sts::{ACCOUNT}:assumed-role/auditor/me"
TAKEN = "2026-11-23T02:00:00Z"
REGIONS = ("eu-west-1", "us-east-1")

# Any text that JSON can hold, lone surrogates and terminal escapes included.
_text = st.text(max_size=12)
_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | _text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_text, inner, max_size=3),
    max_leaves=6,
)
_documents = st.sampled_from([document(), json.dumps(document("ses:*")), TRUST]) | _json
_policies = st.builds(
    PolicyText,
    _text,
    st.none() | _text,
    st.sampled_from(get_args(PolicyKind)),
    _documents,
    st.none() | _text,
)
_projects = st.builds(Project, _text, _text, _text)


def _some(one: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(one, max_size=3).map(tuple)


@st.composite
def accounts(draw: st.DrawFn) -> Account:
    """Any account at all, its policies shared here and there."""
    pool = draw(st.lists(_policies, min_size=1, max_size=5))
    one = st.sampled_from(pool)
    roles = st.builds(
        Role,
        _text.map(lambda name: f"arn:aws:iam::{ACCOUNT}:role/{name}"),
        _text,
        _text,
        st.dictionaries(_text, _text, max_size=2),
        one,
        _some(one),
        _some(one),
        st.none() | one,
        _some(_projects),
    )
    levels = _some(st.builds(ScpLevel, _text, _text, _some(one)))
    identities = _some(st.builds(Identity, _text, _text, st.booleans(), _some(one)))
    facts = st.none() | st.booleans()
    return Account(
        draw(_text),
        draw(_text),
        draw(st.lists(roles, max_size=3, unique_by=lambda role: role.arn)),
        draw(_some(_text)),
        draw(_some(st.builds(Failure, _text, _text))),
        draw(_some(st.builds(UnresolvedProject, _projects, _text, _text))),
        draw(st.dictionaries(_text, st.integers(0, 9), max_size=3)),
        draw(st.none() | st.builds(Organization, _text, st.booleans(), levels)),
        draw(_some(st.builds(SesRegion, _text, facts, facts, identities))),
    )


def packed(account: Account) -> bytes:
    return pack(Bundle(account, TAKEN, CALLER, REGIONS))


def comparable(account: Account) -> tuple[object, list[list[object]]]:
    """An account as a value that compares by content, and by which policies are shared."""
    texts: dict[int, int] = {}
    said: list[list[object]] = []

    def plain(value: Any) -> Any:
        if isinstance(value, PolicyText):
            if id(value) not in texts:
                texts[id(value)] = len(texts)
                about = [value.name, value.arn, value.kind, value.document, value.missing]
                said.append(about)
            return texts[id(value)]
        if isinstance(value, Role):
            return [plain(getattr(value, name)) for name in Role.__slots__]
        if isinstance(value, tuple | list):
            return type(value).__name__, [plain(item) for item in value]
        return value

    return [plain(getattr(account, name)) for name in Account.__slots__], said


@settings(max_examples=100, deadline=None)
@given(accounts())
def test_round_trip(account: Account) -> None:
    """Any account comes back as it was, its order and its shared policies included."""
    read = unpack(packed(account), "x")
    assert comparable(read.account) == comparable(account)
    assert read[1:] == (TAKEN, CALLER, REGIONS)


@settings(max_examples=60, deadline=None)
@given(accounts())
def test_the_report_is_the_same(account: Account) -> None:
    """An audit at the same time gives the same bytes, from the account or from its bundle."""
    again = unpack(packed(account), "x").account
    assert render(audit(again, now=NOW)) == render(audit(account, now=NOW))


@settings(max_examples=30, deadline=None)
@given(accounts())
def test_equal_accounts_are_equal_bytes(account: Account) -> None:
    """Nothing but the content decides about the bytes: no time, no file name, no order of sets."""
    data = packed(account)
    assert data == packed(unpack(data, "x").account)
    assert data[:8] == GZIP_MAGIC + b"\x08\x00" + bytes(4), "no name, no time in gzip's header"


def test_it_is_two_lines_of_json() -> None:
    """Whoever wants to look inside needs gunzip and a JSON reader, no auditor."""
    header, content = map(json.loads, gzip.decompress(packed(SMALL)).splitlines())
    assert (header["format"], header["version"]) == (FORMAT, VERSION)
    assert (content["taken_at"], content["caller"]) == (TAKEN, CALLER)
    assert content["account_id"] == ACCOUNT


def test_a_live_scan_and_its_bundle(session: boto3.Session, wire: Wire, tmp_path: Path) -> None:
    """An account read from AWS, failures and all, gives the same report from its bundle."""
    member = member_of(session, wire)
    arn = make_role(member, "web")
    iam = member.client("iam", region_name="us-east-1")
    iam.put_role_policy(RoleName="web", PolicyName="mail", PolicyDocument=json.dumps(document()))
    make_project(member, "web", "us-east-1", arn)
    make_project(member, "lost", "us-east-1", arn + "x")
    ses: Any = member.client("sesv2", region_name="us-east-1")
    ses.create_email_identity(EmailIdentity="example.com")
    ses.create_email_identity_policy(
        EmailIdentity="example.com", PolicyName="p", Policy=json.dumps(document())
    )
    wire.on("codebuild:ListProjects", refuse("AccessDeniedException", "denied"), "eu-west-1")
    account = collect_account(member, regions=REGIONS)
    assert account.failures
    assert account.unresolved_projects
    assert account.organization
    assert account.organization.levels
    assert account.ses[1].identities[0].policies
    path = tmp_path / "account.bundle"
    path.write_bytes(packed(account))
    again = read_snapshot(str(path))
    assert comparable(again) == comparable(account)
    report = render(audit(account, now=NOW))
    assert render(audit(again, now=NOW)) == report
    assert json.loads(report)["summary"]["exposed"] == 1


def test_from_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    """A bundle is told by its first bytes there too."""
    data = io.BytesIO(packed(SMALL))
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(data))
    assert comparable(read_snapshot("-")) == comparable(SMALL)


TEXT = PolicyText("mail", None, "inline", document())
SMALL = Account(
    ACCOUNT,
    "aws",
    [
        Role(
            f"arn:aws:iam::{ACCOUNT}:role/web",
            "web",
            "AROAWEB",
            {"team": "shop"},
            PolicyText("trust policy", None, "trust", TRUST),
            (TEXT,),
            (),
        )
    ],
)


def content_of(account: Account) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(gzip.decompress(packed(account)).splitlines()[1])
    return content


def zipped(header: object, body: bytes = b"{}", **more: object) -> bytes:
    """A file with this first line; a dict gets what a right one has, but for ``more``."""
    if isinstance(header, dict):
        digest = hashlib.sha256(body).hexdigest()
        right = {"format": FORMAT, "version": VERSION, "bytes": len(body), "sha256": digest}
        header = {**right, **header, **more}
    return gzip.compress(json.dumps(header).encode() + b"\n" + body)


GOOD = packed(SMALL)
TWICE = content_of(replace(SMALL, roles=[*SMALL.roles, *SMALL.roles]))
ERRORS: dict[str, tuple[bytes, str]] = {
    "cut in the header": (GOOD[:9], "it ends in the middle"),
    "cut in the content": (GOOD[:-40], "it ends in the middle"),
    "cut in the checksum": (GOOD[:-1], "it ends in the middle"),
    "magic alone": (GZIP_MAGIC, "it ends in the middle"),
    "checksum of gzip": (GOOD[:-8] + bytes(4) + GOOD[-4:], "damaged"),
    "not deflate": (GZIP_MAGIC + b"\x08\x00" + bytes(6) + b"\xff" * 9, "damaged"),
    "not gzip's method": (GZIP_MAGIC + b"\xff" * 30, "damaged"),
    "something after it": (GOOD + b"x", "longer than it says"),
    "two files": (GOOD + GOOD, "longer than it says"),
    "a compressed snapshot": (
        gzip.compress(b'{"RoleDetailList": []}'),
        "compressed, but not by `auditor snapshot`",
    ),
    "one long line": (gzip.compress(b"x" * 5000), "compressed, but not by `auditor snapshot`"),
    "empty": (gzip.compress(b""), "compressed, but not by `auditor snapshot`"),
    "not an object": (zipped([]), "compressed, but not by `auditor snapshot`"),
    "nested": (gzip.compress(b"[" * 1000 + b"\n"), "compressed, but not by `auditor snapshot`"),
    "newer": (
        zipped({"version": 2}, b"what will be"),
        "written by a newer auditor (bundle version 2): update",
    ),
    "older": (zipped({"version": 0}), "bundle version 0 isn't known any more"),
    "no version": (zipped({"version": None}), "bundle version null isn't known any more"),
    "true as a version": (zipped({"version": True}), "bundle version true isn't known any more"),
    "no length": (zipped({"bytes": "2"}), "damaged file (its first line)"),
    "another length": (zipped({"bytes": 3}), "it ends in the middle"),
    "another hash": (zipped({"sha256": "0" * 64}), "its checksum differs"),
    "a bomb that says so": (zipped({"bytes": 10**12}), "more than any account needs"),
    "a bomb that doesn't": (zipped({"bytes": 9}, b" " * 10**7), "longer than it says"),
    "not JSON": (zipped({}, b"{"), "can't be used"),
    "not UTF-8": (zipped({}, b'"\xff"'), "can't be used"),
    "deep": (zipped({}, b"[" * 10**5), "nested too deeply"),
    "a long number": (zipped({}, b"9" * 5000), "(a number in it has thousands of digits)"),
    "one role twice": (
        zipped({}, json.dumps(TWICE).encode()),
        "can't be used (two roles of one ARN)",
    ),
    "no account": (zipped({}), "can't be used"),
    "a list": (zipped({}, b"[]"), "its content isn't an object"),
}


@pytest.mark.parametrize(("data", "says"), ERRORS.values(), ids=ERRORS)
def test_one_line_says_what_where_and_what_to_do(data: bytes, says: str) -> None:
    """Whatever isn't a bundle of this version is refused in one line, by the one error type."""
    with pytest.raises(SnapshotError) as caught:
        unpack(data, "the/file")
    line = str(caught.value)
    assert line.startswith("the/file: ")
    assert says in line
    assert line.isprintable()
    assert "update" in line or "auditor snapshot" in line


def test_every_cut_is_noticed() -> None:
    """However much of its end is missing."""
    for end in range(2, len(GOOD)):
        with pytest.raises(SnapshotError):
            unpack(GOOD[:end], "x")


def test_every_flipped_byte_is_noticed() -> None:
    """One damaged byte never changes what is audited; gzip's unused header bytes say nothing."""
    for place in range(len(GOOD)):
        data = bytearray(GOOD)
        data[place] ^= 0x55
        try:
            read = unpack(bytes(data), "x")
        except SnapshotError:
            continue
        assert comparable(read.account) == comparable(SMALL)
        assert place < 10, "only in gzip's own header"


def test_a_bomb_is_never_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    """No more is asked of zlib at a time than the first line promises, and one byte."""
    asked: list[int] = []
    make = zlib.decompressobj

    class Counting:
        def __init__(self, window: int) -> None:
            self._real = make(window)

        def __getattr__(self, name: str) -> Any:
            return getattr(self._real, name)

        def decompress(self, data: bytes, limit: int) -> bytes:
            asked.append(limit)
            return self._real.decompress(data, limit)

    monkeypatch.setattr(zlib, "decompressobj", Counting)
    with pytest.raises(SnapshotError, match="longer than it says"):
        unpack(zipped({"bytes": 100_000}, b" " * 10**7), "x")
    assert all(0 < limit <= 100_001 for limit in asked)
    assert sum(asked) < 110_000


FULL = replace(
    SMALL,
    failures=(Failure("a", "b"),),
    unresolved_projects=(UnresolvedProject(Project("a", "b", "c"), "d", "e"),),
    api_calls={"iam:X": 1},
    organization=Organization("o-1", management=False, levels=(ScpLevel("r", "root", (TEXT,)),)),
    ses=(SesRegion("eu-west-1", True, None, (Identity("a", "b", True, (TEXT,)),)),),
    not_evaluated=("scps",),
)


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value)
    found = [path] if path else []
    for key, item in items if isinstance(value, dict | list) else ():
        if path[:1] == ("policies",) and len(path) == 2 and key == 3:
            continue  # a policy's document may be anything
        found += _places(item, (*path, key)) if isinstance(item, dict | list) else [(*path, key)]
    return found


@pytest.mark.parametrize("other", [None, True, -1, 10**6, 0.5, "x", [], [[]], {}, ["x"]], ids=repr)
def test_hand_made_content(other: Any) -> None:
    """Each value replaced by any other is read as an account, or refused by the one error type."""
    places = _places(content_of(FULL))
    assert len(places) > 40
    refused = 0
    for path in places:
        content = content_of(FULL)
        inner: Any = content
        for key in path[:-1]:
            inner = inner[key]
        inner[path[-1]] = other
        try:
            account = unpack(zipped({}, json.dumps(content).encode()), "x").account
        except SnapshotError:
            refused += 1
        else:
            audit(account, now=NOW)
    assert refused > 10
