"""Formats are found by their file, and cost nothing until they are asked for."""

from __future__ import annotations

import subprocess
import sys

import pytest

from auditor.errors import InputError
from auditor.report.interface import PLAIN, format_names, load_format
from tests import examples


@pytest.mark.parametrize("name", format_names())
def test_every_format_renders(name: str) -> None:
    """Each file in formats/ is a working format: a text that ends its last line, twice the same."""
    found = load_format(name)
    text = found.render(examples.full(), PLAIN)
    assert text.endswith("\n")
    assert found.render(examples.full(), PLAIN) == text
    assert found.extension.startswith(".")
    assert "/" in found.media_type


def test_the_promised_formats_are_there() -> None:
    """``table`` and ``json`` are in the contract."""
    assert {"json", "table"} <= set(format_names())


@pytest.mark.parametrize("name", ["", "yaml", "../json", "__init__", "JSON"])
def test_unknown_format(name: str) -> None:
    """A format that doesn't exist is named in one line, with those that do."""
    with pytest.raises(InputError, match=r"choose one of: .*json.*table") as caught:
        load_format(name)
    assert "\n" not in str(caught.value)


def test_reports_run_without_boto3_and_json_without_rich() -> None:
    """Reports need no AWS library; the JSON needs no Rich; listing imports none."""
    code = (
        "import sys\n"
        "from auditor.report.interface import *\n"
        "format_names()\n"
        "assert not {m for m in sys.modules if m.startswith('auditor.report.formats.')}\n"
        "load_format('json')\n"
        "assert 'rich' not in sys.modules\n"
        "load_format('table')\n"
        "assert not {'boto3', 'botocore'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)  # noqa: S603 - our own interpreter and code
