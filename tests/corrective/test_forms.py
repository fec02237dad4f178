"""Whatever the tool, it is the same policy."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
from cfnlint.api import lint
from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.corrective.cloudformation import to_cloudformation
from auditor.corrective.documents import Document, guard, sender
from auditor.corrective.terraform import to_terraform
from auditor.corrective.write import FORMS
from tests.corrective.readers import EACH, READERS
from tests.corrective.strategies import scopes

if TYPE_CHECKING:
    from pathlib import Path

    from auditor.corrective.names import PolicyName
    from auditor.corrective.scope import Scope

# Texts that mean something to one of the tools, and any other text that a document may hold.
_ODD = (
    "null", "Null", "yes", "~", "2012-10-17", "1e3", "${a}", "$${a}", "%{if}", "%%{", "$$${", "for",
    "{{resolve:ssm:a}}", "#", ": ", "- ", "'", '"', "\\", "\x85", "\n", "", " ", "é", "😀",
)  # fmt: skip
TEXTS = (
    st.sampled_from(_ODD)
    | st.text("${%}a", max_size=6)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
)
VALUES = st.recursive(
    TEXTS | st.booleans() | st.none() | st.integers(-999, 999),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=12,
)
DOCUMENTS = st.dictionaries(TEXTS, VALUES, max_size=4)


def test_every_form_is_read() -> None:
    """The tests here look at every form that there is."""
    assert set(READERS) == set(FORMS)


@pytest.mark.parametrize("form", FORMS)
@EACH
def test_each_form_holds_the_same_policy(form: str, policy: PolicyName, document: Document) -> None:
    """Read back, each form is the very document, under the policy's own name and path."""
    text = FORMS[form](document, policy)

    assert READERS[form](text, policy) == document
    assert text.endswith("\n")
    assert all(line == line.rstrip() for line in text.split("\n"))


@pytest.mark.parametrize("form", FORMS)
@given(scope=scopes())
@settings(max_examples=25, deadline=None)
def test_each_form_holds_each_sender(form: str, scope: Scope) -> None:
    """So it is for a sender of every combination of options."""
    document = sender(scope)

    assert READERS[form](FORMS[form](document, "sender"), "sender") == document


@pytest.mark.parametrize("form", FORMS)
@given(document=DOCUMENTS)
@settings(max_examples=60, deadline=None)
def test_each_form_holds_anything(form: str, document: Document) -> None:
    """No text in a document means anything to the tool that reads it: it comes back as it was."""
    assert READERS[form](FORMS[form](document, "guard"), "guard") == document


@EACH
def test_cloudformation_is_valid(policy: PolicyName, document: Document) -> None:
    """AWS's linter for templates finds nothing to say about it."""
    assert [str(match) for match in lint(to_cloudformation(document, policy))] == []


def test_the_linter_would_say_so() -> None:
    """The linter looks at the policy: one with an effect that doesn't exist is an error."""
    text = to_cloudformation(guard(), "guard").replace('"Deny"', '"Refuse"')

    assert lint(text)


def _terraform(folder: Path, *arguments: str, stdin: str = "") -> str:
    settings_file = folder / "terraform.rc"
    settings_file.touch()
    done = subprocess.run(  # noqa: S603 - found on the path, with our arguments
        [shutil.which("terraform") or "terraform", *arguments],
        cwd=folder,
        input=stdin,
        env=os.environ | {"TF_CLI_CONFIG_FILE": str(settings_file), "CHECKPOINT_DISABLE": "1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


needs_terraform = pytest.mark.skipif(
    shutil.which("terraform") is None, reason="Terraform isn't installed"
)


@needs_terraform
@EACH
def test_terraform_formats_it_no_other_way(
    policy: PolicyName, document: Document, tmp_path: Path
) -> None:
    """Terraform reads it, and would write it as we do."""
    (tmp_path / "main.tf").write_text(to_terraform(document, policy), "utf-8")

    assert _terraform(tmp_path, "fmt", "-check", "-diff") == ""


@needs_terraform
def test_terraform_reads_what_we_read(tmp_path: Path) -> None:
    """Terraform's own reading of odd texts is that of the reader above: the very texts."""
    document: Document = {f"K{n}": text for n, text in enumerate(_ODD)} | dict.fromkeys(_ODD, 1)
    text = to_terraform(document, "guard")
    start, end = text.index("jsonencode("), text.index("\n}\n\nresource", text.index("jsonencode("))
    (tmp_path / "main.tf").write_text(f"locals {{\n  it = {text[start:end]}\n}}\n", "utf-8")
    printed = _terraform(tmp_path, "console", stdin="base64encode(local.it)\n")

    assert json.loads(base64.b64decode(printed.strip().strip('"'))) == document
