"""Problems that any service's call may have: a row each. They count where mail is near."""

from __future__ import annotations

from typing import Final

from auditor.denial.rows import Row

_SMTP: Final = "https://docs.aws.amazon.com/ses/latest/dg/troubleshoot-smtp.html"
_COMMON: Final = "https://docs.aws.amazon.com/ses/latest/APIReference/CommonErrors.html"

ENVIRONMENT: Final = (
    Row(
        "smtp-unauthenticated",
        ("530Authenticationrequired", "530MustissueaSTARTTLScommandfirst"),
        "SES's SMTP endpoint was spoken to without TLS, or without credentials.",
        ("Use STARTTLS on port 587, or TLS on 465, and log in before sending.",),
        _SMTP,
        shared=True,
    ),
    Row(
        "throttled",
        (
            "ThrottlingException",
            "Throttling:Rateexceeded",
            "(Throttling)",
            "TooManyRequestsException",
            "Throttlingfailure:",
        ),
        "SES throttled the call.",
        ("Call less often, or try again after a moment.",),
        _COMMON,
        shared=True,
    ),
    Row(
        "credentials-missing",
        (
            "Unabletolocatecredentials",
            "NoCredentialsError",
            "Couldnotloadcredentialsfromanyprovider",
            "Unabletoloadcredentialsfromany",
            "UnabletoloadAWScredentialsfromany",
            "NoCredentialProviders",
            "failedtorefreshcachedcredentials",
            "MissingCredentialsError",
            "CredentialsError:Missingcredentials",
            "Errorretrievingcredentials",
            "UnabletogetIAMsecuritycredentials",
        ),
        "The SDK found no credentials. No policy was in the way.",
        (
            (
                "In a build they come from the container's environment"
                " (AWS_CONTAINER_CREDENTIALS_RELATIVE_URI): a process or container that the build"
                " starts has them only where that variable is passed on."
            ),
        ),
        "https://docs.aws.amazon.com/codebuild/latest/userguide/troubleshooting.html",
        shared=True,
    ),
    Row(
        "credentials-expired",
        (
            "ExpiredToken",
            "Thesecuritytokenincludedintherequestisexpired",
            "Signatureexpired:",
            "RequestExpired",
        ),
        "The credentials had run out. No policy was in the way.",
        (
            (
                "Let the SDK get fresh ones from the build's environment; don't copy them into"
                " variables or files."
            ),
        ),
        _COMMON,
        shared=True,
    ),
    Row(
        "credentials-wrong",
        (
            "InvalidClientTokenId",
            "UnrecognizedClientException",
            "Thesecuritytokenincludedintherequestisinvalid",
            "SignatureDoesNotMatch",
            "Therequestsignaturewecalculateddoesnotmatch",
        ),
        "AWS didn't know the credentials, or the signature was wrong. No policy was in the way.",
        (
            (
                "Look for an access key in the build's variables that shadows the role's, and for a"
                " key without its session token."
            ),
        ),
        _COMMON,
        shared=True,
    ),
    Row(
        "endpoint",
        (
            "CouldnotconnecttotheendpointURL",
            "ENOTFOUND",
            "EAI_AGAIN",
            "Youmustspecifyaregion",
            "NoRegionError",
            "Missingregioninconfig",
            "Regionismissing",
            "MissingRegionError",
            "Connecttimeoutonendpoint",
            "nosuchhost",
            "connectETIMEDOUT",
        ),
        "SES's endpoint couldn't be reached, or no region was named. No policy was in the way.",
        (
            "Name a region in which SES exists (AWS_REGION), with that region's endpoint.",
            (
                "A build in a VPC reaches SES through a NAT gateway or an SES endpoint of the VPC"
                " alone; SMTP on port 25 is often shut, 587 isn't."
            ),
        ),
        "https://docs.aws.amazon.com/general/latest/gr/ses.html",
        shared=True,
    ),
)
