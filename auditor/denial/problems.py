"""What keeps mail from going out and isn't a refusal by a policy: a row each, with its source."""

from __future__ import annotations

import re
from typing import Final

from auditor.denial.environment import ENVIRONMENT
from auditor.denial.rows import Row

_ERRORS: Final = "https://docs.aws.amazon.com/ses/latest/dg/troubleshoot-error-messages.html"
_SMTP: Final = "https://docs.aws.amazon.com/ses/latest/dg/troubleshoot-smtp.html"
_V2: Final = "https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html"
_V1: Final = "https://docs.aws.amazon.com/ses/latest/APIReference/API_SendEmail.html"
_SIMULATOR: Final = "https://docs.aws.amazon.com/ses/latest/dg/send-an-email-from-console.html"

_REGION: Final = r"\bin\s+region\s+([A-Za-z0-9-]{5,30})"
_IDENTITIES: Final = (
    ("region", re.compile(_REGION)),
    (
        "identities",
        re.compile(
            rf"{_REGION.replace('(', '(?:', 1)}\s*:\s*"
            r"([^\n\"']{1,300}?)(?=\s*(?:Request I[dD]|\(Service:|- <|</|[\n\"']|\Z))"
        ),
    ),
)
_SET: Final = re.compile(
    r"[Cc]onfiguration set [<`'\"]?([A-Za-z0-9_-]{1,64})[>`'\"]? does not exist"
)

_TEMPLATE: Final = re.compile(r"[Tt]emplate [<`'\"]?([A-Za-z0-9_.-]{1,64})[>`'\"]? does not exist")
_REJECTED: Final = re.compile(r"MessageRejected\b.{0,80}?: ?Access denied")

OWN: Final = (
    Row(
        "not-verified",
        ("Emailaddressisnotverified", "Emailaddressnotverified"),
        "SES rejected the message: an address isn't verified in that region. No policy was in the"
        " way.",
        (
            "Verify the identity that the mail is from in that region, or send from one that is.",
            (
                "In the sandbox recipients must be verified too, all but the mailbox simulator's:"
                " write to success@simulator.amazonses.com."
            ),
            (
                "Identities and the sandbox are each region's own: check which region the build"
                " calls (AWS_REGION)."
            ),
        ),
        _ERRORS,
        details=_IDENTITIES,
    ),
    Row(
        "mail-from-not-verified",
        ("MailFromDomainNotVerified",),
        "SES rejected the message: the custom MAIL FROM domain's DNS record isn't there. No policy"
        " was in the way.",
        (
            (
                "Publish the MX record of the identity's MAIL FROM domain, or let the identity fall"
                " back to SES's own (its behavior on MX failure)."
            ),
        ),
        _V1,
    ),
    Row(
        "sending-rate",
        ("Maximumsendingrateexceeded",),
        "SES throttled the account: more messages a second than it may send.",
        (
            (
                "Send slower, or try again after a moment: the rate is a region's, and all builds"
                " share it."
            ),
            "Mail to the simulator counts toward the rate, though not toward the daily quota.",
        ),
        "https://docs.aws.amazon.com/ses/latest/dg/quotas.html",
    ),
    Row(
        "daily-quota",
        ("Dailymessagequotaexceeded", "Dailysendingquotaexceeded", "Dailyquota-exceeded"),
        "The account has used up its sending quota of 24 hours in that region.",
        (
            "Send to the mailbox simulator: such mail doesn't count toward the quota.",
            (
                "That the quota is used up may mean that tests mail real addresses: look at who"
                " may ('auditor scan')."
            ),
        ),
        _SIMULATOR,
    ),
    Row(
        "suspended",
        ("Sendingsuspendedforthisaccount", "AccountSuspendedException", "Accounthasbeensuspended"),
        "AWS has shut down the account's sending. No policy was in the way.",
        (
            (
                "Nothing in the build helps: see the Reputation page of SES and the mails and"
                " support cases of the account."
            ),
        ),
        _V2,
    ),
    Row(
        "paused",
        (
            "ConfigurationSetSendingPaused",
            "AccountSendingPaused",
            "SendingPausedException",
            "Emailsendingisdisabledforconfigurationset",
        ),
        "Sending is switched off, for the account or the configuration set, in that region.",
        (
            (
                "Whoever runs SES has switched it off, or an alarm has: ask before anybody switches"
                " it on again."
            ),
        ),
        _V1,
    ),
    Row(
        "no-configuration-set",
        ("ConfigurationSetDoesNotExist",),
        "The configuration set that the call names isn't there in that region.",
        ("Name one that exists in the region the build calls, or none.",),
        _V1,
        also=("NotFoundException", _SET),
        details=(("configuration set", _SET),),
    ),
    Row(
        "no-template",
        ("TemplateDoesNotExist",),
        "The template that the call names isn't there in that region.",
        ("Name one that exists in the region the build calls.",),
        "https://docs.aws.amazon.com/ses/latest/APIReference/API_SendTemplatedEmail.html",
        also=("NotFoundException", _TEMPLATE),
        details=(("template", _TEMPLATE),),
    ),
    Row(
        "rejected",
        ("MessageRejected:Accessdenied",),
        "SES itself rejected the message, and doesn't say why. No policy is named.",
        (
            (
                "Look at the account's sending in that region ('aws sesv2 get-account'): it may be"
                " under review, or switched off."
            ),
        ),
        _ERRORS,
        also=("MessageRejected", _REJECTED),
    ),
    Row(
        "not-subscribed",
        ("AccountnotsubscribedtoSES", "OptInRequired"),
        "The account isn't signed up for SES. No policy was in the way.",
        ("Let whoever runs the account sign up for SES, or use one that has it.",),
        _SMTP,
        shared=True,
    ),
    Row(
        "smtp-temporary",
        ("4544.3.0Temporaryauthenticationfailure", "454Temporaryauthenticationfailure"),
        "SES's SMTP endpoint could not check the credentials for now. No policy was in the way.",
        ("Try again after a moment; if it stays, check the user name and the password.",),
        _SMTP,
    ),
    Row(
        "limit",
        ("LimitExceededException",),
        "A limit of SES's was reached: too many calls, or too many things of a kind.",
        ("Call less often, and look at the account's quotas in that region.",),
        _V2,
        shared=True,
    ),
    Row(
        "smtp-credentials",
        ("AuthenticationCredentialsInvalid",),
        "SES's SMTP endpoint didn't know the user name or the password. No policy was in the way.",
        (
            (
                "SMTP credentials are a region's own, are made from an IAM user's access key, and"
                " aren't that key itself: check that they are of the endpoint's region."
            ),
            "A build has no need of them: its role may call SES's API.",
        ),
        _SMTP,
    ),
)
ROWS: Final = (*OWN, *ENVIRONMENT)
BY_ID: Final = {row.id: row for row in ROWS}
