"""ARNs out of a log: taken apart only where they have the strict form of what they name.

What fits gets into policies and commands, so nothing fits that means something else there: no
wildcard, no policy variable, no further part.
"""

from __future__ import annotations

import re
from typing import Final

from auditor.corrective.scope import PARTITIONS
from auditor.denial.model import Principal, Resource

_PARTITION: Final = "|".join(PARTITIONS)
_REGION: Final = r"[a-z]{2,3}(?:-[a-z]{2,9}){1,3}-\d{1,2}"
# https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html (names),
# API_AssumeRole.html (session names) and reference_identifiers.html (ARNs; a session's has the
# role's name without its path)
_MASKED: Final = r"\d{0,11}[Xx*]{1,12}\d{0,11}|0{1,12}"  # an account that was blanked out
_NAME: Final = r"[A-Za-z0-9_+=,.@-]{1,64}"
_SESSION: Final = re.compile(
    rf"arn:({_PARTITION}):sts::(\d{{12}}|{_MASKED}):assumed-role/({_NAME})/([A-Za-z0-9_+=,.@:/-]{{1,255}})",
    re.ASCII,
)
_IAM: Final = re.compile(
    rf"arn:({_PARTITION}):iam::(\d{{12}}|{_MASKED}):(role|user)/(?:[!-.0-~]{{1,64}}/){{0,16}}({_NAME})",
    re.ASCII,
)
# CodeBuild's sessions: https://docs.aws.amazon.com/codebuild/latest/userguide/troubleshooting.html
BUILDS: Final = "AWSCodeBuild-"
_RESOURCE: Final = re.compile(
    rf"arn:({_PARTITION}):ses:({_REGION}):(\d{{12}}|{_MASKED}):([a-z-]{{1,40}})/(\S{{1,320}})",
    re.ASCII,
)
_LABEL: Final = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_DOMAIN: Final = rf"(?=.{{1,253}}\Z){_LABEL}(?:\.{_LABEL}){{1,30}}"
_TYPES: Final = {
    # an address may have * or ? in it, which a policy would read as wildcards: those don't fit
    "identity": re.compile(rf"(?:[A-Za-z0-9.!#%&'+/=^_`|~-]{{1,64}}@)?{_DOMAIN}"),
    # https://docs.aws.amazon.com/ses/latest/APIReference/API_ConfigurationSet.html
    "configuration-set": re.compile(r"[A-Za-z0-9_-]{1,64}"),
    "template": re.compile(r"[A-Za-z0-9_.-]{1,64}"),
    "custom-verification-email-template": re.compile(r"[A-Za-z0-9_.-]{1,64}"),
}
LONGEST: Final = 400
"""Characters of other people's text that are kept where it isn't what it claims to be."""


def _account(text: str) -> str:
    """Return an account's id, or "" where it is blanked out."""
    return text if len(text) == 12 and text.isdigit() and text.strip("0") else ""


def principal_of(text: str) -> Principal:
    """Return who is meant; ``other``, with the text alone, where that isn't a role or a user."""
    found = _SESSION.fullmatch(text)
    if found:
        partition, account, role, session = found.groups()
        account = _account(account)
        build_id = session.removeprefix(BUILDS) if session.startswith(BUILDS) else ""
        return Principal(text, "role", partition, account, role, session, build_id)
    found = _IAM.fullmatch(text)
    if found:
        is_role = found[3] == "role"
        account = _account(found[2])
        return Principal(text, "role" if is_role else "user", found[1], account, found[4])
    return Principal(text[:LONGEST])


def resource_of(text: str) -> Resource:
    """Return the SES resource that is meant; the text alone where it can't stand in a policy."""
    found = _RESOURCE.fullmatch(text)
    if found:
        partition, region, account, kind, name = found.groups()
        strict = _TYPES.get(kind)
        if strict is not None and strict.fullmatch(name):
            return Resource(text, partition, region, _account(account) or "*", kind, name)
    return Resource(text[:LONGEST])


def suggested_project(role: str) -> str:
    """Return the project that a role's name suggests, or "": the console names roles after it.

    https://docs.aws.amazon.com/codebuild/latest/userguide/setting-up-service-role.html
    """
    found = re.fullmatch(r"codebuild-([A-Za-z0-9][A-Za-z0-9_-]{1,254})-service-role", role)
    return found[1] if found else ""
