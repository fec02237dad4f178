"""Other people's text, made fit to show: names, reasons and messages are untrusted."""

from __future__ import annotations

import re

MESSAGE_LIMIT = 500  # characters; AWS quotes whole ARNs and policies in its messages

# What must never reach a report. AWS's answer to a wrong signature repeats the request's headers,
# the session token included, from "The Canonical String" on:
# https://docs.aws.amazon.com/IAM/latest/UserGuide/signature-v4-troubleshooting.html
_SECRETS = (
    (re.compile(r"The (?:Canonical String|String-to-Sign)\b.*", re.DOTALL | re.IGNORECASE), ""),
    (
        re.compile(r"(?i)(x-amz-security-token|authorization(?: header)?)(\s*[:=]).*", re.DOTALL),
        r"\1\2 (hidden)",
    ),
    (re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{12,}\b"), "(access key hidden)"),
    # A session token by what it begins with, wherever it stands. AWS doesn't document the form, so
    # this is a second net and not the first.
    (re.compile(r"\b(?:IQoJb3JpZ2lu|F[wQ]oGZXIvYXdz)[\w+/=%-]*"), "(token hidden)"),
    # Whoever has a webhook's address may post:
    # https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
    (re.compile(r"(?<=hooks\.slack\.com/)\w+/\S+|(?<=hooks\.slack-gov\.com/)\w+/\S+"), "(hidden)"),
    (re.compile(r"(?<=://)[^/@\s]*:[^/@\s]*@"), "(hidden)@"),
)


def visible(text: str) -> str:
    r"""Return the text with everything that doesn't print as itself made visible, as ``\x1b``.

    Line breaks could forge lines, escape sequences steer the terminal, and bidi overrides turn
    words around (https://trojansource.codes). ``str.isprintable`` is false for all of those.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else _escaped(c) for c in text)


def _escaped(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")


def one_line(text: object, limit: int = MESSAGE_LIMIT) -> str:
    """Return ``text`` as one printable line of at most ``limit`` characters.

    Everything that isn't printable (line ends, terminal escapes, direction marks, lone
    surrogates) becomes a space, and runs of spaces become one.
    """
    # Cut first, generously: an error page of megabytes should cost nothing.
    shown = str(text)[: limit * 8]
    line = " ".join("".join(c if c.isprintable() else " " for c in shown).split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def without_secrets(text: str) -> str:
    """Return ``text`` with credentials, and whatever AWS repeats of a request, taken out."""
    for pattern, instead in _SECRETS:
        text = pattern.sub(instead, text)
    return text


def words(error: object, limit: int = MESSAGE_LIMIT) -> str:
    """Return what AWS or a library said, fit to be told: one line, bounded, without secrets.

    Whatever goes into a message, a log line or a reply from an error that isn't ours goes through
    here.
    """
    # Secrets first: a cut could leave the half of one that no pattern knows.
    return one_line(without_secrets(str(error)[: limit * 8]), limit)
