"""The commands, put together. A new one is a module beside this and a line here."""

from __future__ import annotations

from typing import Annotated

import typer

from auditor import __version__
from auditor.cli.denial import denial
from auditor.cli.evaluate import evaluate
from auditor.cli.explain import explain
from auditor.cli.policy import policy
from auditor.cli.remediate import remediate
from auditor.cli.scan import scan
from auditor.cli.smoke import smoke
from auditor.cli.snapshot import snapshot

# Plain help: quicker than Rich's, the same in a pipe, and nothing in it is read as markup.
app = typer.Typer(
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"auditor {__version__}")
        raise typer.Exit


@app.callback()
def _auditor(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Can our CodeBuild roles mail real people through SES? Answers with proof.

    It only reads. What closes a role is changed by 'remediate apply' alone, and
    taken back by 'remediate undo'. 'smoke' sends test mail to SES's simulator.
    """


app.command("scan")(scan)
app.command("snapshot")(snapshot)
app.command("evaluate")(evaluate)
app.command("explain")(explain)
app.command("denial")(denial)
app.command("smoke")(smoke)
app.add_typer(policy, name="policy")
app.add_typer(remediate, name="remediate")
