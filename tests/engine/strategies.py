"""Arbitrary roles, biased towards SES sends and the mailbox simulator."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from tests.engine.cases import ACCOUNT, OTHER_ACCOUNT, SIMULATOR, Case

if TYPE_CHECKING:
    from tests.engine.cases import Json

ACTIONS = (
    "ses:*",
    "ses:Send*",
    "ses:SendEmail",
    "ses:SendRawEmail",
    "ses:SendTemplatedEmail",
    "ses:SendBulk*",
    "ses:SendBulkEmail",
    "ses:SendCustomVerificationEmail",
    "ses:SendBounce",
    "SES:send?mail",
    "*",
    "s3:GetObject",
)
ARN = "arn:aws:ses"
RESOURCES = (
    "*",
    "*",
    f"{ARN}:*:*:identity/*",
    f"{ARN}:*:{ACCOUNT}:*",
    f"{ARN}:eu-west-1:{ACCOUNT}:identity/example.com",
    f"{ARN}:eu-*:*:identity/*.example.com",
    f"{ARN}:*:*:identity/jane@example.org",
    f"{ARN}:*:*:template/*",
    f"{ARN}:us-east-1:*:template/welcome",
    f"{ARN}:*:*:custom-verification-email-template/*",
    f"{ARN}:*:*:configuration-set/*",
    f"{ARN}:*:{OTHER_ACCOUNT}:identity/*",
    f"{ARN}:*:*:*",
    ARN,
    "arn:aws:s?s:us-*:*:*/*",
    "arn:aws-cn:ses:*:*:*",
    "arn:aws:s3:::bucket/*",
    f"{ARN}:*:${{aws:PrincipalAccount}}:identity/*",
    f"{ARN}:*:*:identity/${{aws:PrincipalTag/domain}}",
    f"{ARN}:${{aws:RequestedRegion}}:*:identity/*",
    f"{ARN}:*:*:identity/${{aws:SourceVpc, 'x'}}.example.com",
    f"{ARN}:*:*:${{aws:PrincipalTag/none, 'identity'}}/*",
    f"{ARN}:*:*:identity/${{*}}",
    f"{ARN}:??-*-?:????????????:*/?*",
    f"{ARN}:*:*:i*",
    f"{ARN}:*:identity/example.com",
    "arn:aws:*",
    "arn:*:ses:*",
    "ses:*",
    "*:*",
    "*ses*",
    "${aws:PrincipalTag/none}",
    "${aws:PrincipalTag/domain}*",
    "",
)
RECIPIENTS = (
    SIMULATOR,
    SIMULATOR,
    SIMULATOR,
    "*@SIMULATOR.amazonses.com",
    "success@simulator.amazonses.com",
    "success*@simulator.amazonses.com",
    "*simulator.amazonses.com",
    "*@simulator.amazonses.com*",
    "*@simulator?amazonses.com",
    "success@*",
    "*@example.com",
    "jane@example.org",
    "*",
    "*@*.*",
    "?????@example.com",
    "${ses:FromAddress}",
    "${ses:FromAddress}*",
    "*@${aws:username}",
    "${*}@simulator.amazonses.com",
    "${aws:SourceVpc, 'x@y.zz'}",
    "*@${aws:PrincipalTag/domain}",
    "*@${aws:PrincipalTag/none, 'example.net'}",
)
TEXTS: dict[str, tuple[str, ...]] = {
    "ses:FromAddress": ("*@example.com", "jane@example.org", "*@mail.example.com", "*@other.net"),
    "ses:FromDisplayName": ("News", "News*", "*", "?"),
    "ses:FeedbackAddress": ("*@example.com", "bounces@example.com"),
    "ses:ApiVersion": ("1", "2", "?"),
    "aws:RequestedRegion": ("eu-west-1", "us-*", "eu-*", "*-1", "cn-north-1"),
    "aws:SourceVpc": ("vpc-1", "vpc-*", "*", "", "10.0.0.1", "true", "1", "2"),
    "aws:Number": ("1", "1.0", "x*", "*"),
    "aws:SourceIp": ("10.*", "10.0.0.0/8", "*"),
    "aws:UserAgent": ("x*", "*x", "x", "${*}"),
    "aws:PrincipalTag/domain": ("example.com", "*.com", "other.net"),
    "aws:PrincipalTag/none": ("x", "*"),
    "aws:PrincipalArn": (f"arn:aws:iam::{ACCOUNT}:role/*", "arn:aws:iam::*:role/other"),
    "aws:PrincipalAccount": (ACCOUNT, OTHER_ACCOUNT),
    "aws:ResourceAccount": (ACCOUNT, OTHER_ACCOUNT, "${aws:PrincipalAccount}"),
    "aws:userid": ("AROAEXAMPLE:*", "AROAOTHER:*", "*:AWSCodeBuild-*"),
    "aws:username": ("jane", "*"),
    "s3:prefix": ("x", "*"),
}
BOOLS = (
    "aws:SecureTransport",
    "aws:ViaAWSService",
    "aws:MultiFactorAuthPresent",
    "aws:PrincipalIsAWSService",
    "aws:SourceVpc",
)
NUMBERS = ("aws:Number", "aws:EpochTime", "ses:FromDisplayName", "ses:Recipients")
MOMENTS = ("aws:CurrentTime", "aws:EpochTime", "aws:TokenIssueTime")
STRING_OPERATORS = (
    "StringEquals",
    "StringNotEquals",
    "StringEqualsIgnoreCase",
    "StringNotEqualsIgnoreCase",
    "StringLike",
    "StringLike",
    "StringNotLike",
    "StringNotLike",
)
ARN_OPERATORS = ("ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike")
ORDERS = (
    "Equals",
    "NotEquals",
    "LessThan",
    "LessThanEquals",
    "GreaterThan",
    "GreaterThanEquals",
)
TRUE_FALSE = ("true", "false")
NUMBER_VALUES = ("0", "1", "1.5", "-3", "1795402800", "2000000000", "many")
DATES = (
    "2020-01-01T00:00:00Z",
    "2026-11-23T03:00:00Z",
    "2026-11-23T02:59:59Z",
    "2027-06-01",
    "2026-11-23T05:00:00+02:00",
    "1795402801",
)
BLOCKS = ("10.0.0.0/8", "10.1.2.3", "nowhere", "::/0", "0.0.0.0/0", "2001:db8::/32", "192.0.2.0/24")
ARNS = (
    f"arn:aws:iam::{ACCOUNT}:role/*",
    "arn:aws:iam::*:role/other",
    "arn:aws:*:*:*:*",
    "arn:aws:codebuild:*:*:project/x",
    "*",
    "arn:aws:*",
    "arn:*:*::${aws:PrincipalAccount}:*",
)


@st.composite
def conditions(draw: st.DrawFn) -> tuple[str, str, Any]:
    """One operator, one key, its value or values."""
    kind = draw(
        st.sampled_from(
            ("recipients",) * 6
            + ("text",) * 3
            + ("null", "null", "bool", "number", "date", "ip", "arn", "binary")
        )
    )
    if kind == "null":
        keys = ("ses:Recipients", "ses:Recipients", *TEXTS, *BOOLS, "aws:SourceIp")
        return "Null", draw(st.sampled_from(keys)), draw(_some(TRUE_FALSE))
    operator, key, values = draw(_compared(kind))
    quantifier = draw(st.sampled_from(QUANTIFIERS[kind]))
    suffix = draw(st.sampled_from(("", "", "", "IfExists")))
    return f"{quantifier}{operator}{suffix}", draw(_cased(key)), values


ONE = ("", "", "", "ForAllValues:", "ForAnyValue:")
QUANTIFIERS = {
    "recipients": ("ForAllValues:", "ForAllValues:", "ForAnyValue:", "ForAnyValue:", ""),
    **dict.fromkeys(("text", "bool", "number", "date", "ip", "arn", "binary"), ONE),
}


@st.composite
def _compared(draw: st.DrawFn, kind: str) -> tuple[str, str, Any]:
    def one(values: tuple[str, ...]) -> str:
        return draw(st.sampled_from(values))

    match kind:
        case "recipients":
            return one(STRING_OPERATORS), "ses:Recipients", draw(_some(RECIPIENTS))
        case "text":
            key = one(tuple(TEXTS))
            return one(STRING_OPERATORS), key, draw(_some(TEXTS[key]))
        case "bool":
            return "Bool", one(BOOLS), draw(_some(TRUE_FALSE) | st.booleans())
        case "number":
            return f"Numeric{one(ORDERS)}", one(NUMBERS), draw(_some(NUMBER_VALUES) | st.just(2))
        case "date":
            return f"Date{one(ORDERS)}", one(MOMENTS), draw(_some(DATES))
        case "ip":
            return one(("IpAddress", "NotIpAddress")), "aws:SourceIp", draw(_some(BLOCKS))
        case "arn":
            return one(ARN_OPERATORS), one(("aws:PrincipalArn", "aws:Arn")), draw(_some(ARNS))
    return "BinaryEquals", "aws:Data", draw(_some(("eA==", "eHk=")))


def _some(values: tuple[str, ...]) -> st.SearchStrategy[Any]:
    """One value, or a list of up to three (also of none)."""
    several = st.lists(st.sampled_from(values), min_size=0, max_size=3)
    return st.one_of(st.sampled_from(values), st.sampled_from(values), several)


def _cased(key: str) -> st.SearchStrategy[str]:
    return st.sampled_from((key, key, key.lower(), key.upper()))


@st.composite
def statements(draw: st.DrawFn, effect: str | None = None) -> Json:
    """One statement, of an effect where one is given."""
    chosen = effect or draw(st.sampled_from(("Allow", "Allow", "Deny")))
    made: Json = {"Effect": chosen}
    action = draw(st.sampled_from(("Action",) * 9 + ("NotAction",)))
    made[action] = draw(_some(ACTIONS))
    resource = draw(st.sampled_from(("Resource",) * 7 + ("NotResource",)))
    made[resource] = draw(_some(RESOURCES))
    block: dict[str, Json] = {}
    for operator, key, values in draw(st.lists(conditions(), max_size=3)):
        block.setdefault(operator, {})[key] = values
    if block:
        made["Condition"] = block
    return made


@st.composite
def documents(draw: st.DrawFn, max_size: int = 3) -> Json:
    """One document, nearly always of the version that has variables."""
    made: Json = {"Statement": draw(st.lists(statements(), min_size=1, max_size=max_size))}
    version = draw(st.sampled_from(("2012-10-17",) * 8 + ("2008-10-17", None)))
    return made if version is None else {"Version": version, **made}


OPEN: Json = {"Effect": "Allow", "Action": "ses:*", "Resource": "*"}
KEYED = ("ses:SendEmail", "ses:SendRawEmail", "ses:SendTemplatedEmail")
TO_SIMULATOR: Json = {
    "Effect": "Allow",
    "Action": list(KEYED),
    "Resource": "*",
    "Condition": {"ForAllValues:StringLike": {"ses:Recipients": SIMULATOR}},
}
GUARD: Json = {
    "Effect": "Deny",
    "Action": "ses:Send*",
    "Resource": "*",
    "Condition": {"ForAnyValue:StringNotLike": {"ses:Recipients": SIMULATOR}},
}
NO_BULK: Json = {"Effect": "Deny", "Action": "ses:SendBulkEmail", "Resource": "*"}
BASES: tuple[tuple[Json, ...], ...] = (
    (),
    (OPEN,),
    (TO_SIMULATOR,),
    (TO_SIMULATOR,),
    (OPEN, GUARD, NO_BULK),
    (OPEN, GUARD),
)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """One role: often one whose sends are open, or limited to the simulator, but for the rest."""
    base = draw(st.sampled_from(BASES))
    found = draw(st.lists(documents(), min_size=0 if base else 1, max_size=2))
    if base:
        found.append({"Version": "2012-10-17", "Statement": list(base)})
    limit = draw(st.none() | st.none() | documents())
    tags = draw(st.sampled_from(((), (("domain", "example.com"),), (("Domain", "*"),))))
    return Case(tuple(found), limit, tags)
