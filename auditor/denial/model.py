"""What was found in a log: refused calls, other problems of mail, refusals that aren't mail's."""

from __future__ import annotations

from typing import Literal, NamedTuple

Outcome = Literal["implicit", "explicit", "unsaid"]
Layer = Literal[
    "identity-based policy",
    "resource-based policy",
    "permissions boundary",
    "service control policy",
    "resource control policy",
    "session policy",
    "VPC endpoint policy",
    "role trust policy",
]
"""The policies that AWS's messages name, by the words that they use:
https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html"""


class Principal(NamedTuple):
    """Who was refused. ``text`` is what the log says; the rest is "" unless it is a known ARN.

    ``kind`` is ``role`` (a session of it), ``user`` or ``other``. ``name`` is the role's or the
    user's, without its path. ``build`` is what the session of a CodeBuild build
    has after ``AWSCodeBuild-``: the build's id.
    """

    text: str
    kind: Literal["role", "user", "other"] = "other"
    partition: str = ""
    account: str = ""
    name: str = ""
    session: str = ""
    build: str = ""


class Resource(NamedTuple):
    """What it was refused on. ``text`` is what the log says; the rest is "" unless it is an SES

    resource that can be named in a policy and means itself there. ``doubt`` says why nobody knows
    where its name ends, and ``longer`` is what else it may be. ``account`` is ``*`` where the log
    has it blanked out.
    """

    text: str
    partition: str = ""
    region: str = ""
    account: str = ""
    kind: str = ""
    name: str = ""
    doubt: str = ""
    longer: str = ""

    @property
    def arn(self) -> str:
        """The resource for a policy; any account's where the log doesn't tell whose."""
        return f"arn:{self.partition}:ses:{self.region}:{self.account}:{self.kind}/{self.name}"


class Why(NamedTuple):
    """What AWS said about the reason. ``policy`` is the policy's ARN, where it was named.

    ``implicit``: no policy of that layer allows it. ``explicit``: one denies it. ``unsaid``: the
    message has no reason, as SES's own have none.
    """

    outcome: Outcome = "unsaid"
    layer: Layer | None = None
    policy: str = ""


class Project(NamedTuple):
    """A CodeBuild project. ``sure``: the log names it with the build's id; else it is what the

    role's name suggests (the console makes ``codebuild-NAME-service-role``).
    """

    name: str
    sure: bool


class Denial(NamedTuple):
    """A call to SES that was refused, as often as it was.

    ``lines`` are the first places, from 1, and ``times`` how often it is there. ``wording`` names
    the SDK whose message it is; ``operation`` and ``code`` are the API's call and error, "" where
    the message lacks them. ``action`` is what AWS checked, in AWS's spelling where it is a send,
    and "" where the message says no more than that the call was refused. ``version`` is SES's API:
    "1", "2", "smtp" or "". ``encoded``: the message has an encoded part.
    """

    lines: tuple[int, ...]
    times: int
    wording: str
    operation: str
    code: str
    version: str
    principal: Principal | None
    action: str
    resource: Resource | None
    why: Why
    project: Project | None = None
    encoded: bool = False


class Trouble(NamedTuple):
    """Something else that is wrong with the mail. ``row`` is the id of its row in ``problems``.

    ``details`` are pairs of a label and other people's text.
    """

    lines: tuple[int, ...]
    times: int
    row: str
    details: tuple[tuple[str, str], ...] = ()


class Other(NamedTuple):
    """A refusal that isn't about mail: ``what`` was refused, such as ``s3:PutObject``."""

    lines: tuple[int, ...]
    times: int
    what: str
    principal: Principal | None


class Found(NamedTuple):
    """All that was found, in the order of the log.

    ``unread`` counts places that weren't looked at, since there are too many different ones.
    ``looked`` counts characters that were looked at closely.
    """

    denials: tuple[Denial, ...]
    troubles: tuple[Trouble, ...]
    others: tuple[Other, ...]
    lines: int
    unread: int = 0
    looked: int = 0

    def __bool__(self) -> bool:
        """Whether there is something to tell about mail."""
        return bool(self.denials or self.troubles)


class Context(NamedTuple):
    """Which SDK's message it is, and what that says of the call."""

    wording: str = ""
    operation: str = ""
    code: str = ""
    version: str = ""
