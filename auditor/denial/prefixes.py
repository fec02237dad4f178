"""What tools put before every line of a log, so that a folded message has it in its middle."""

from __future__ import annotations

import re
from typing import Final

MOST: Final = 4
"""Tools whose lines are within each other's: a test's, in a container's, in a build's log."""

_LEVEL: Final = "(?:TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|SEVERE|FATAL|CRITICAL)"
_UUID: Final = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
# "[Container] 2026/11/23 03:00:00.123456 ", or the time that a log viewer puts first:
# https://docs.aws.amazon.com/codebuild/latest/userguide/view-build-details.html
_TIME: Final = (
    r"\s{0,8}(?:\[Container\] )?\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?"
    r"(?:Z|[+-]\d\d:?\d\d)?[ \t]"
)
# the log stream that 'aws logs tail' puts after the time:
# https://docs.aws.amazon.com/cli/latest/reference/logs/tail.html
_STREAM: Final = rf"(?:[\w.$-]{{1,100}}/){{0,6}}(?:\[[^\]\s]{{1,20}}\])?(?:{_UUID}|[0-9a-f]{{32}}) "
# https://logging.apache.org/log4j/2.x/manual/pattern-layout.html
_LOG4J: Final = (
    r"\d\d:\d\d:\d\d(?:[.,]\d{1,9})? (?:\[[^\]\s]{1,60}\] )?"
    rf"(?:{_LEVEL} {{1,5}}(?:[\w.$]{{1,80}} {{1,5}}- )?)?"
)
_MAVEN: Final = rf"\[{_LEVEL}\] "  # https://maven.apache.org/maven-logging.html
_PYTEST: Final = r"\s{0,8}E {3,12}"  # https://docs.pytest.org/en/stable/how-to/output.html
# containers' names: https://docs.docker.com/reference/cli/docker/compose/logs/
_COMPOSE: Final = r"(?:[A-Za-z0-9][\w.-]{0,100} {0,40})?\| "
_QUOTED: Final = r"(?:> ?){1,8}"  # in Markdown and in mail
_PREFIX: Final = re.compile(
    "|".join((rf"{_TIME}(?:{_STREAM})?", _LOG4J, _MAVEN, _PYTEST, _COMPOSE, _QUOTED)), re.ASCII
)


def without_prefix(line: str) -> str:
    """Return a line without what tools have put before it."""
    for _ in range(MOST):
        found = _PREFIX.match(line)
        if found is None:
            break
        line = line[found.end() :]
    return line
