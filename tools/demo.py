"""A guided tour, run by ``make demo``: an account with leaking roles, audited from end to end.

The account lives in moto, an imitation of AWS inside this process. Everything else is the real
thing: boto3 clients over HTTP, the scheduled function under Chalice, the command line. Nothing
leaves this machine, and neither the user's credentials nor his AWS settings are looked at.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import subprocess
import sys
import textwrap
import traceback
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from unittest import mock

from demo_account import HISTORY, QUEUE, REGIONS, ROLES, build

if TYPE_CHECKING:
    from collections.abc import Iterator

    import boto3
    from demo_account import DemoAccount

ROOT: Final = Path(__file__).resolve().parent.parent
_WIDTH: Final = 80
_MAIL_INDENT: Final = " " * 12  # where the mail's second column starts
_EXPOSED: Final = 1  # the status of ``auditor scan`` where a role is exposed


class DemoError(Exception):
    """The tour can't go on; one line says why."""


def main() -> int:
    """Run the tour; 0 if all went well, else one line and 1."""
    parser = argparse.ArgumentParser(prog="make demo", description="A guided tour of the auditor.")
    parser.add_argument("--out", type=Path, default=ROOT / "out" / "demo", help="folder for files")
    out: Path = parser.parse_args().out
    try:
        out.mkdir(parents=True, exist_ok=True)
        _tour(out)
    except KeyboardInterrupt:
        return _fail("interrupted")
    except Exception as error:  # noqa: BLE001 - told in one line, the whole of it is in a file
        return _fail(f"{type(error).__name__}: {' '.join(str(error).split())}{_kept(out)}")
    return 0


def _kept(out: Path) -> str:
    """Keep the traceback in a file; return where, or nothing if that fails too."""
    try:
        (out / "error.log").write_text(traceback.format_exc(), "utf-8")
    except OSError:
        return ""
    return f" (details: {_near(out / 'error.log')})"


def _tour(out: Path) -> None:
    _say("Can CodeBuild roles mail real people through SES? A tour in four steps.")
    _say("AWS is played by moto on this machine: no account is needed, none is touched.")
    with _pretended_aws(out / "aws.log"):
        import boto3

        session = boto3.Session()
        account = build(session)
        _snapshot(session, out / "account.json")
        _describe(account)
        _nightly(account, out / "lambda.log")
        _mail(session, account, out)
        _scan()
    _next(out)


@contextmanager
def _pretended_aws(log: Path) -> Iterator[None]:
    """Run moto's server on a free port, and send every AWS client of this process there."""
    for name in list(os.environ):
        if name.upper().startswith(("AWS_", "AUDITOR_", "POWERTOOLS_")):
            del os.environ[name]
    access_log = logging.getLogger("werkzeug")
    access_log.addHandler(logging.FileHandler(log, mode="w", encoding="utf-8"))
    access_log.propagate = False
    from moto.server import ThreadedMotoServer

    _fill_gap()
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        os.environ.update(
            AWS_ENDPOINT_URL=f"http://{host}:{port}",
            AWS_ACCESS_KEY_ID="demo",
            AWS_SECRET_ACCESS_KEY="demo",  # noqa: S106 - moto takes any
            AWS_DEFAULT_REGION=REGIONS[0],
            AWS_CONFIG_FILE=os.devnull,
            AWS_SHARED_CREDENTIALS_FILE=os.devnull,
            AWS_EC2_METADATA_DISABLED="true",
            NO_PROXY=host,  # a proxy of the user's must not see these requests
            no_proxy=host,
        )
        yield
    finally:
        server.stop()


def _fill_gap() -> None:
    """Let moto answer the one call of a scan that it lacks: is SES out of its sandbox? It is."""
    from moto.sesv2 import urls
    from moto.sesv2.responses import SESV2Response

    def get_account(_: SESV2Response) -> str:
        return '{"ProductionAccessEnabled": true, "SendingEnabled": true}'

    urls.url_paths["{0}/v2/email/account$"] = SESV2Response.dispatch
    SESV2Response.get_account = get_account  # type: ignore[attr-defined]


def _describe(account: DemoAccount) -> None:
    _heading(
        1, f"An account with {len(ROLES)} CodeBuild roles and {account.projects} projects is made"
    )
    width = max(len(role.name) for role in ROLES)
    _say(f"{'Role':{width}}  What its policy says of mail")
    _say("-" * _WIDTH)
    for role in ROLES:
        _say(f"{role.name:{width}}  {role.says}")
    _say("\nWhich of them can mail a real person? Guess first, then read on.")


def _nightly(account: DemoAccount, log: Path) -> None:
    """Invoke the scheduled function through Chalice, set up as the deployed stack sets it up."""
    _heading(2, "The nightly Lambda function runs")
    os.environ["AUDITOR_TOPIC_ARN"] = account.topic_arn
    os.environ["AUDITOR_HISTORY_TABLE"] = HISTORY
    os.environ["AUDITOR_REGIONS"] = ",".join(REGIONS)
    os.environ["AUDITOR_ALWAYS_NOTIFY"] = "false"
    sys.path.insert(0, str(ROOT))
    # Powertools' logger takes hold of standard output when it is imported.
    with log.open("w", encoding="utf-8") as lines, redirect_stdout(lines), redirect_stderr(lines):
        from chalice.test import Client

        from app import app

        # Chalice's client gives each function 3 seconds, whatever the stage says.
        time = mock.patch("chalice.test.LambdaContext.get_remaining_time_in_millis", _whole_time)
        with time, Client(app, stage_name="prod", project_dir=str(ROOT)) as client:
            event = client.events.generate_cw_event(
                source="aws.events", detail_type="Scheduled Event", detail={}, resources=[]
            )
            reply: Any = client.lambda_.invoke("audit_nightly", event).payload
    if reply["summary"]["roles"] != len(ROLES) or not reply["complete"]:
        raise DemoError(f"the function did not audit every role: {json.dumps(reply['summary'])}")
    counts = ", ".join(f"{number} {name.replace('_', ' ')}" for name, number in _counts(reply))
    _say(f"It audited {reply['summary']['roles']} roles: {counts}.")
    _say(f"What it logged: {_near(log)}")


def _whole_time(_context: object) -> int:
    """Return what the deployed function has, in milliseconds: see .chalice/config.json."""
    return 900_000


def _counts(reply: dict[str, Any]) -> list[tuple[str, int]]:
    shown = ("exposed", "undetermined", "simulator_only", "no_send")
    return [(name, reply["summary"][name]) for name in shown]


def _mail(session: boto3.Session, account: DemoAccount, out: Path) -> None:
    """Show what subscribers of the topic got: the mail for people, the JSON for a queue."""
    _heading(3, "What was found is published to an SNS topic")
    answer = session.client("sqs").receive_message(QueueUrl=account.queue_url)
    if len(answer.get("Messages", [])) != 1:
        raise DemoError("no message arrived in the queue that is subscribed to the topic")
    envelope = json.loads(answer["Messages"][0]["Body"])
    body = json.loads(envelope["Message"])
    queued = out / "message.json"
    queued.write_text(f"{json.dumps(body, indent=2)}\n", "utf-8")
    letter = out / "mail.txt"
    text = _published_mail(account)
    letter.write_text(f"{text}\n", "utf-8")

    _say("People who subscribe get a mail. It begins so:\n")
    _quote([f"Subject: {envelope['Subject']}", "", *_first_role(text), "..."])
    _say(f"\nThe whole mail: {_near(letter)}")
    _say(f"The queue {QUEUE} got JSON with {len(body['roles'])} roles: {_near(queued)}")


def _first_role(text: str) -> list[str]:
    """Return a mail's lines up to the end of the first role; a rule of hyphens precedes each."""
    lines = text.splitlines()
    rules = [number for number, line in enumerate(lines) if line and not line.strip("-")]
    return lines[: (*rules, len(lines), len(lines))[1]]


def _quote(lines: list[str]) -> None:
    for line in lines:
        hanging = _MAIL_INDENT if line.startswith("  ") else ""
        folded = textwrap.wrap(
            line,
            _WIDTH - len("  | "),
            subsequent_indent=hanging,
            break_on_hyphens=False,
            break_long_words=False,
        )
        for part in folded or [""]:
            _say(f"  | {part}".rstrip())


def _published_mail(account: DemoAccount) -> str:
    """Return the text that SNS would mail: moto sends no mails, but keeps what was published."""
    from moto.sns.models import sns_backends

    topics = sns_backends[account.account_id][REGIONS[0]].topics
    published = json.loads(topics[account.topic_arn].sent_notifications[-1][1])
    return str(published["email"])


def _scan() -> None:
    """Run the real command on the same account, as a user would."""
    arguments = [part for region in REGIONS for part in ("--region", region)]
    _heading(4, "The same from the command line, with the proof for each exposed role")
    _say(f"$ auditor scan {' '.join(arguments)}\n")
    sys.stdout.flush()
    done = subprocess.run(
        [sys.executable, "-m", "auditor", "scan", *arguments],
        cwd=ROOT,
        env={**os.environ, "COLUMNS": str(_WIDTH)},
        check=False,
    )
    if done.returncode != _EXPOSED:
        raise DemoError(f"auditor scan ended with status {done.returncode}, expected {_EXPOSED}")
    _say("\nIts exit status is 1, so that a pipeline stops here.")


def _snapshot(session: boto3.Session, path: Path) -> None:
    """Save what ``aws iam get-account-authorization-details`` would print for the account."""
    paginator = session.client("iam").get_paginator("get_account_authorization_details")
    details = paginator.paginate().build_full_result()
    path.write_text(f"{json.dumps(details, indent=2, default=str)}\n", "utf-8")


def _next(out: Path) -> None:
    snapshot = _near(out / "account.json")
    _say(f"""
What to type next

  The demo's account again, one role, all its proof:
    .venv/bin/auditor scan --snapshot {snapshot} \\
        --role codebuild-release --format json
  The same as one page to look at in a browser:
    .venv/bin/auditor scan --snapshot {snapshot} \\
        --format html --output report.html
  What would close its exposed roles, proven:
    .venv/bin/auditor remediate plan --snapshot {snapshot}
  Your own account; needs read permissions only (docs/permissions.md):
    .venv/bin/auditor scan
  Every night, in AWS: docs/deploy.md
  Why a verdict is what it is: docs/how-it-decides.md""")


def _heading(number: int, text: str) -> None:
    line = f"{number}. {text}"
    bold = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    _say(f"\n\n\033[1m{line}\033[0m\n" if bold else f"\n\n{line}\n{'=' * len(line)}\n")


def _near(path: Path) -> str:
    """Return a path as it is typed from the project's folder, if it is in there."""
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)


def _say(line: str) -> None:
    print(line)


def _fail(why: str) -> int:
    sys.stdout.flush()
    print(f"demo: {why}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
