"""A problem that mail has is named, and another service's isn't taken for mail's."""

from __future__ import annotations

import pytest

from auditor.denial.find import find

CALLING = "An error occurred ({}) when calling the SendEmail operation: {}"


@pytest.mark.parametrize(
    "text",
    [
        (
            "npm ERR! request to https://registry.npmjs.org/@aws-sdk/client-sesv2 failed, reason:"
            " getaddrinfo EAI_AGAIN registry.npmjs.org"
        ),
        (
            "mail sent via SES\nThrottlingException: Rate exceeded (Service: CloudFormation, Status"
            " Code: 400)"
        ),
        "src/ses.test.js\nExpiredTokenException: calling dynamodb.GetItem",
        "\u2713 throws 'not authorized to perform: ses:SendEmail' without permission (12 ms)",
        "Email sent\nAn error occurred (ExpiredToken) when calling the GetObject operation: no",
    ],
)
def test_not_mails(text: str) -> None:
    """A message that names another service or host is that one's; a test that passed is none."""
    assert not find(text)


@pytest.mark.parametrize(
    ("text", "row"),
    [
        (CALLING.format("NotFoundException", "Template Welcome does not exist"), "no-template"),
        ("NotFoundException: Configuration set <foo> does not exist.", "no-configuration-set"),
        ("535 Account not subscribed to SES", "not-subscribed"),
        (CALLING.format("OptInRequired", "The key needs a subscription"), "not-subscribed"),
        ("454 4.3.0 Temporary authentication failure", "smtp-temporary"),
        (CALLING.format("LimitExceededException", "Too many"), "limit"),
        (CALLING.format("MessageRejected", "Access denied"), "rejected"),
        ("MessageRejected: Access denied", "rejected"),
        ("Error: getaddrinfo ENOTFOUND email.eu-west-9.amazonaws.com", "endpoint"),
        (CALLING.format("ExpiredToken", "The token is expired"), "credentials-expired"),
        (
            "sesv2: Unable to load credentials from any provider: http://169.254.169.254/",
            "credentials-missing",
        ),
        ("ThrottlingException: Rate exceeded (Service: SesV2, Status Code: 429)", "throttled"),
    ],
)
def test_mails(text: str, row: str) -> None:
    """What SES says of itself is named by its row."""
    assert [one.row for one in find(text).troubles] == [row]
