"""A server that listens as Slack's webhooks do, and answers as it is told to."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

SECRET = "T000/B000/this-is-a-secret"


@dataclass
class Slack:
    """What was posted. ``answers`` are (status, headers, text), 200 once there are no more.

    The status 0 stands for no answer in time, -1 for a connection that breaks instead.
    """

    url: str = ""
    posts: list[dict[str, Any]] = field(default_factory=list)
    answers: list[tuple[int, dict[str, str], str]] = field(default_factory=list)


@contextmanager
def listening() -> Iterator[Slack]:
    """Listen on a port of this machine."""
    slack = Slack()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            slack.posts.append(json.loads(body))
            status, headers, text = slack.answers.pop(0) if slack.answers else (200, {}, "ok")
            if status == 0:
                threading.Event().wait(1.5)  # time.sleep may be patched away
                return
            if status < 0:
                self.close_connection = True
                return
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    slack.url = f"http://127.0.0.1:{server.server_port}/services/{SECRET}"
    try:
        yield slack
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
