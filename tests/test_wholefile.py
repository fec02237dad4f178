"""Files are written whole or not at all, and stay what they were otherwise."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from auditor.wholefile import encoded, write_whole

if TYPE_CHECKING:
    from collections.abc import Iterator


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_what_breaks_off_leaves_the_old_file(tmp_path: Path) -> None:
    """Half of a new file is never seen, nor left under another name."""
    path = tmp_path / "file"
    path.write_text("old")

    def half() -> Iterator[bytes]:
        yield b"new"
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        write_whole(path, half())
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_permissions(tmp_path: Path) -> None:
    """A new file's are the umask's, an old one's stay, and those that are asked for hold."""
    path = tmp_path / "file"
    mask = os.umask(0o027)
    try:
        write_whole(path, (b"1",))
        assert _mode(path) == 0o640
        path.chmod(0o604)
        write_whole(path, (b"2",))
        assert _mode(path) == 0o604
        write_whole(path, (b"3",), mode=0o600)
        assert _mode(path) == 0o600
    finally:
        os.umask(mask)
    assert path.read_bytes() == b"3"


def test_links_and_devices_stay(tmp_path: Path) -> None:
    """The file that a link leads to is replaced, a device is written to."""
    link, path = tmp_path / "link", tmp_path / "file"
    link.symlink_to(path)
    write_whole(link, (b"1", b"2"))
    assert (link.is_symlink(), path.read_bytes()) == (True, b"12")

    write_whole(Path(os.devnull), (b"1",))
    assert stat.S_ISCHR(Path(os.devnull).stat().st_mode)


def test_any_text_is_encoded() -> None:
    """A long text comes in pieces; what UTF-8 can't hold is shown as an escape."""
    text = "caf\u00e9 \ud800" * 40_000
    pieces = list(encoded(text))
    assert len(pieces) > 1
    assert b"".join(pieces).decode("utf-8") == text.replace("\ud800", r"\ud800")
