"""How AWS is asked: how long each kind of call may take, and what that leaves of Lambda's time.

Lambda ends a function after 900 seconds, wherever it is:
https://docs.aws.amazon.com/lambda/latest/dg/configuration-timeout.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient

# Tries, the first included; waits grow between them
# (https://docs.aws.amazon.com/boto3/latest/guide/retries.html).
TOTAL_ATTEMPTS = 8
CLIENT_CONFIG = Config(
    retries={"mode": "standard", "total_max_attempts": TOTAL_ATTEMPTS},
    connect_timeout=5,
    read_timeout=30,
)

ONCE: Final = Config(
    retries={"mode": "standard", "total_max_attempts": 1}, connect_timeout=5, read_timeout=10
)
"""For what tells people: 15 s a try. Who sends decides what is tried again, for botocore asks again
after an answer that didn't come, too, and then a message that was taken comes twice."""

TWICE: Final = ONCE.merge(Config(retries={"mode": "standard", "total_max_attempts": 2}))
"""For a place that a channel needs, and for the bus: two tries of 15 s, and a wait of 1 s at most
(https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html)."""
TWICE_MS: Final = 31_000

MEMORY: Final = Config(
    retries={"mode": "standard", "total_max_attempts": 2}, connect_timeout=2, read_timeout=4
)
"""For what a channel heard: one item a call."""

STORE: Final = Config(
    retries={"mode": "standard", "total_max_attempts": 2}, connect_timeout=5, read_timeout=20
)
"""For a night's report: two objects of some megabytes."""
STORING_MS: Final = 2 * 51_000

TELLING_MS: Final = 300_000
"""Kept for telling, before anything that may take long is begun or waited for.

At worst, nobody answering but the table that remembers: the topic and the chat take two tries of
15 s with a second between them, 31 s each; Slack 31 s for its address, and two posts of 20 s
(10 to connect, 10 to answer) with a wait of 31 s asked for between them, 102 s; a bus that
answers each call just in time gets 60 s, and what its last call takes, 91 s. That is 255 s. Where
the table drags, too, no channel begins with less time than it may take, and the next run tells it.
"""


def topic_client(arn: str) -> SNSClient:
    """Return a client of the region that a topic is in."""
    return boto3.Session().client("sns", region_name=arn.split(":")[3], config=ONCE)
