"""What to know about a refused call beside the policy: its reason, and what is odd about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from auditor.denial.arns import BUILDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditor.denial.model import Denial, Layer

_SILENT: Final[dict[Layer, str]] = {
    "identity-based policy": (
        "No policy of the caller allows it: none does at all, or one does under a condition that"
        " didn't hold, such as a recipient outside the simulator."
    ),
    "resource-based policy": (
        "The identity's own policy (sending authorization) doesn't allow it. Where the identity is"
        " another account's, that account must allow the role there; a policy of the role alone is"
        " not enough."
    ),
    "permissions boundary": (
        "The role's permissions boundary doesn't allow it, and grants nothing by itself: whoever"
        " keeps the boundary must add the same statement there, and the role needs it too."
    ),
    "service control policy": (
        "A service control policy of the organization doesn't allow it. No policy of the role"
        " changes that: ask whoever runs the organization, for the simulator alone."
    ),
    "resource control policy": (
        "A resource control policy of the organization doesn't allow it. No policy of the role"
        " changes that."
    ),
    "session policy": (
        "The session was made with a policy of its own that doesn't allow it. CodeBuild passes"
        " none, so the build assumed a role: look at the code that calls AssumeRole."
    ),
    "VPC endpoint policy": (
        "The policy of the VPC endpoint that the build goes through doesn't allow it. No policy of"
        " the role changes that."
    ),
    "role trust policy": "The role's trust policy doesn't let the caller assume it.",
}
_DENYING: Final[dict[Layer, str]] = {
    "identity-based policy": (
        "A Deny in the role's own policies stands in the way, and no Allow gets past it. If it is"
        " the simulator guard it has done its work: the mail was for somebody else, a copy"
        " included. Change the recipients, not the policy."
    ),
    "resource-based policy": (
        "A Deny in the identity's own policy (sending authorization) stands in the way, and no"
        " Allow gets past it."
    ),
    "permissions boundary": (
        "A Deny in the role's permissions boundary stands in the way, and no Allow gets past it."
    ),
    "service control policy": (
        "A Deny in a service control policy of the organization stands in the way, and no Allow"
        " gets past it. It may look at recipients: try the simulator's. Otherwise ask whoever runs"
        " the organization."
    ),
    "resource control policy": (
        "A Deny in a resource control policy of the organization stands in the way, and no Allow"
        " gets past it."
    ),
    "session policy": (
        "A Deny in the session's own policy stands in the way. CodeBuild passes none, so the build"
        " assumed a role: look at the code that calls AssumeRole."
    ),
    "VPC endpoint policy": (
        "A Deny in the policy of the VPC endpoint that the build goes through stands in the way."
    ),
    "role trust policy": "A Deny in the role's trust policy stands in the way.",
}
_UNSAID: Final = (
    "The message gives no reason: no policy allows it, or one does under a condition that didn't"
    " hold, or a Deny stands in the way. '--snapshot' and '--live' look at the role."
)
_DENIED: Final = (
    "A Deny stands in the way, and no Allow gets past it. The message doesn't say in which policy:"
    " the role's own, its boundary, the identity's, the organization's, or another."
    " '--snapshot' and '--live' look at the role."
)


def reason_of(denial: Denial) -> str:
    """Return why it was refused, by AWS's message alone."""
    why = denial.why
    if why.layer is None:
        return _UNSAID if why.outcome == "unsaid" else _DENIED
    return (_SILENT if why.outcome == "implicit" else _DENYING)[why.layer]


def notes_of(denial: Denial) -> Iterator[str]:
    """Yield what else is worth knowing."""
    called = f"ses:{denial.operation}"
    if denial.action and denial.operation and called != denial.action:
        yield _checked_as(denial)
    elif not denial.operation and denial.version == "2" and denial.action == "ses:SendRawEmail":
        yield (
            "API v2 has no call SendRawEmail: the call was SendEmail, and AWS checked it as"
            " ses:SendRawEmail since its content is raw."
        )
    resource, who = denial.resource, denial.principal
    if resource is not None and resource.kind == "configuration-set":
        yield (
            "A configuration set is checked as a resource of its own, even where the call names"
            " none and the identity has a default one."
        )
    if resource is not None and resource.kind == "identity" and "@" in resource.name:
        yield (
            f"Is {resource.name} the recipient, not the sender? In the sandbox SES checks a"
            " recipient's verified identity too. Then write to the simulator instead."
        )
    owner = resource.account if resource is not None else ""
    if (
        who is not None
        and resource is not None
        and owner not in ("", "*")
        and who.account not in ("", owner)
    ):
        yield (
            f"The {resource.kind} belongs to account {owner}, the caller to {who.account}: the"
            " other account must allow it too."
        )
    if who is not None and who.kind == "user":
        yield (
            f"It wasn't a role but the IAM user {who.name}: the tests use its access key or SMTP"
            " credentials, so what the CodeBuild role may do makes no difference."
        )
    elif who is not None and who.kind == "role" and not who.session.startswith(BUILDS):
        yield (
            "The session isn't one of CodeBuild's (those are called AWSCodeBuild-…): the code had"
            " assumed a role, or it didn't run in CodeBuild."
        )
    if denial.encoded:
        yield (
            "The message has an encoded part: 'aws sts decode-authorization-message"
            " --encoded-message …' shows which statement decided, to who may call it."
        )


def _checked_as(denial: Denial) -> str:
    if denial.operation == "SendBulkEmail":
        return (
            f"The call was SendBulkEmail and was checked as {denial.action}. Once that is allowed"
            " it may be refused as ses:SendBulkEmail, which no policy can limit to the simulator:"
            " better let the tests call SendEmail for each recipient."
        )
    raw = " since its content is raw" if denial.action == "ses:SendRawEmail" else ""
    return f"The call was {denial.operation}, and AWS checked it as {denial.action}{raw}."
