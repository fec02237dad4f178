"""Snapshot bundles: everything a scan needs of an account, in one file.

A bundle is gzip around two lines of JSON. The first says what it is, in which version, and the
length and SHA-256 of the second, so that a cut or damaged file is noticed; the second is the
account (``bundle_values``). Equal accounts read at the same time give the same bytes.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from typing import TYPE_CHECKING, NamedTuple

from auditor.collect.bundle_values import MalformedBundle, account_of, values_of
from auditor.errors import SnapshotError
from auditor.text import one_line

if TYPE_CHECKING:
    from auditor.account import Account

FORMAT = "auditor-snapshot"
VERSION = 1
GZIP_MAGIC = b"\x1f\x8b"  # https://www.rfc-editor.org/rfc/rfc1952#section-2.3.1
# An account with 50,000 roles, ten times IAM's quota, takes about 150 MB. A file that grows beyond
# this when it is unpacked was made to exhaust memory.
SIZE_LIMIT = 512 * 1024 * 1024  # bytes
_HEADER_LIMIT = 1024  # bytes; the first line is about 130
_WINDOW = 16 + zlib.MAX_WBITS  # zlib's way to ask for gzip's header and checksum
_LEVEL = 6  # said, as it decides about the bytes
_AGAIN = "make it again with: auditor snapshot --output FILE"


class Bundle(NamedTuple):
    """An account with where it comes from.

    ``taken_at`` is UTC (``2026-11-23T03:00:00Z``), ``caller`` the ARN of whoever read it, and
    ``regions`` where CodeBuild was read.
    """

    account: Account
    taken_at: str
    caller: str
    regions: tuple[str, ...]


def pack(bundle: Bundle) -> bytes:
    """Return the bytes of a bundle's file."""
    content = {
        "taken_at": bundle.taken_at,
        "caller": bundle.caller,
        "regions": list(bundle.regions),
        **values_of(bundle.account),
    }
    body = json.dumps(content, separators=(",", ":")).encode("ascii")
    digest = hashlib.sha256(body).hexdigest()
    header = {"format": FORMAT, "version": VERSION, "bytes": len(body), "sha256": digest}
    # Without the time and the file's name, which gzip's header may hold.
    packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, _WINDOW)
    line = json.dumps(header).encode("ascii") + b"\n"
    return packer.compress(line + body) + packer.flush()


def unpack(data: bytes, where: str) -> Bundle:
    """Return the bundle that a file's bytes are.

    :param where: the file's name, for messages.
    :raises SnapshotError: one line: what is wrong, where, and what to do.
    """
    try:
        return _bundle(json.loads(_body(data, where)))
    except zlib.error as error:
        raise SnapshotError(f"{where}: a damaged file ({error}); copy or {_AGAIN}") from error
    except (MalformedBundle, ValueError, RecursionError) as error:
        why = "nested too deeply" if isinstance(error, RecursionError) else one_line(error)
        if type(error) is ValueError:  # Python's words are advice to programmers
            why = "a number in it has thousands of digits"
        raise SnapshotError(f"{where}: a bundle that can't be used ({why}); {_AGAIN}") from error


def _bundle(content: object) -> Bundle:
    if not isinstance(content, dict):
        raise MalformedBundle("its content isn't an object")
    taken_at, caller, regions = (content.get(key) for key in ("taken_at", "caller", "regions"))
    if not isinstance(taken_at, str) or not isinstance(caller, str):
        raise MalformedBundle("it doesn't say when and by whom it was made")
    if not isinstance(regions, list) or not all(isinstance(one, str) for one in regions):
        raise MalformedBundle("its regions aren't a list of names")
    return Bundle(account_of(content), taken_at, caller, tuple(regions))


def _body(data: bytes, where: str) -> bytes:
    """Return the second line, never unpacking more than the first one promises."""
    unpacker = zlib.decompressobj(_WINDOW)
    start = unpacker.decompress(data, _HEADER_LIMIT)
    line, newline, begun = start.partition(b"\n")
    if not newline and not unpacker.eof and len(start) < _HEADER_LIMIT:
        raise SnapshotError(f"{where}: it ends in the middle; copy or {_AGAIN}")
    size, digest = _header(line if newline else b"", where)
    body = bytearray(begun)
    while not unpacker.eof and unpacker.unconsumed_tail and len(body) <= size:
        # One byte more than promised, to see the end (a length of 0 would mean "all of it").
        body += unpacker.decompress(unpacker.unconsumed_tail, size - len(body) + 1)
    if len(body) > size or unpacker.unused_data:
        raise SnapshotError(f"{where}: a damaged file (longer than it says); copy or {_AGAIN}")
    if not unpacker.eof or len(body) < size:
        raise SnapshotError(f"{where}: it ends in the middle; copy or {_AGAIN}")
    if hashlib.sha256(body).hexdigest() != digest:
        raise SnapshotError(f"{where}: a damaged file (its checksum differs); copy or {_AGAIN}")
    return bytes(body)


def _header(line: bytes, where: str) -> tuple[int, str]:
    """Return what the first line promises of the second: its length and its SHA-256."""
    try:
        header = json.loads(line)
    except (ValueError, RecursionError):
        header = None
    if not isinstance(header, dict) or header.get("format") != FORMAT:
        raise SnapshotError(
            f"{where}: compressed, but not by `auditor snapshot`; unpack what the AWS CLI printed"
            f" (gunzip), or {_AGAIN}"
        )
    version = header.get("version")
    if isinstance(version, int) and version > VERSION:
        raise SnapshotError(
            f"{where}: written by a newer auditor (bundle version {version}): update"
        )
    if version is not True and version == VERSION:
        size, digest = header.get("bytes"), header.get("sha256")
        if isinstance(size, int) and size >= 0 and isinstance(digest, str):
            if size > SIZE_LIMIT:
                raise SnapshotError(
                    f"{where}: it says that it unpacks to {size:,} bytes, more than any account"
                    f" needs ({SIZE_LIMIT:,}); {_AGAIN}"
                )
            return size, digest
        raise SnapshotError(f"{where}: a damaged file (its first line); copy or {_AGAIN}")
    known = one_line(json.dumps(version), 40)
    raise SnapshotError(f"{where}: bundle version {known} isn't known any more; {_AGAIN}")
