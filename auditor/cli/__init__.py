"""The command line. ``main`` is the console script; each command is a module of its own.

Start-up counts here: a command imports what it needs when it runs, so that ``--version`` and
``--help`` cost no more than Typer itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.cli.streams import fail
from auditor.errors import AuditorError

if TYPE_CHECKING:
    from collections.abc import Sequence

EXIT_ERROR = 2  # usage, or input that can't be used
EXIT_CRASH = 70  # a defect of the auditor (EX_SOFTWARE of sysexits.h): must not look like a finding
EXIT_INTERRUPTED = 130  # 128 + SIGINT, as shells have it


def main(args: Sequence[str] | None = None) -> int:
    """Run a command line (by default this process's) and return its exit status.

    What a user can put right is one line on standard error; only a defect shows a traceback.
    """
    try:
        return _run(args)
    except KeyboardInterrupt:
        return fail("interrupted", EXIT_INTERRUPTED)
    except AuditorError as error:
        return fail(f"error: {error}", EXIT_ERROR)
    except Exception as error:  # noqa: BLE001 - shown whole; Python's own status, 1, would say "exposed"
        import traceback

        traceback.print_exc()
        return fail(f"error: this is a defect of the auditor: {type(error).__name__}", EXIT_CRASH)


def _run(args: Sequence[str] | None) -> int:
    from typer import TyperException

    from auditor.cli.app import app

    try:
        # Without standalone mode, errors reach us, and a command's return value is the status.
        status = app(args=args, prog_name="auditor", standalone_mode=False)
    except TyperException as error:
        context = getattr(error, "ctx", None)
        command = context.command_path if context else "auditor"
        # Pydantic, which Typer asks, puts its own words before ours.
        problem = error.format_message().replace("Value error, ", "").rstrip(".")
        return fail(f"error: {problem} (see: {command} --help)", EXIT_ERROR)
    if status == EXIT_INTERRUPTED:  # Typer makes this of Ctrl-C
        raise KeyboardInterrupt
    return int(status or 0)
