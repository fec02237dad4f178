"""Sends one mail. Nothing here takes a recipient that isn't in ``scenarios``."""

from __future__ import annotations

from email.message import EmailMessage
from email.policy import SMTP
from typing import TYPE_CHECKING, Any

from auditor.errors import AuditorError
from auditor.smoke.result import Sent
from auditor.smoke.scenarios import OUTSIDE, address, is_simulators
from auditor.smoke.trouble import AWS_ERRORS, Trouble, trouble_of, understood

if TYPE_CHECKING:
    from auditor.smoke.clients import Clients
    from auditor.smoke.plan import Plan
    from auditor.smoke.refused import Proof
    from auditor.smoke.scenarios import Scenario, Via

_TEXT = (
    "Sent by `auditor smoke` to Amazon SES's mailbox simulator, to test that mail gets there and"
    " nowhere else. No person is meant to read this.\n"
)


def send(clients: Clients, plan: Plan, via: Via, scenario: Scenario) -> Sent:
    """Send a scenario's mail; what AWS refuses is a value too."""
    to = address(scenario, plan.label)
    subject = f"auditor smoke: {scenario.mailbox} by {via} ({plan.label})"
    found = _tried(clients, plan, via, to, subject)
    if isinstance(found, Trouble):
        return Sent(via, scenario, to, None, found)
    return Sent(via, scenario, to, found)


def send_outside(clients: Clients, plan: Plan, via: Via, proof: Proof) -> str | Trouble:
    """Try to mail ``OUTSIDE``, which AWS is proven to refuse; return the mail's id if it didn't."""
    subject = f"auditor smoke: must be refused ({plan.label})"
    return _tried(clients, plan, via, OUTSIDE, subject, proof)


def _tried(
    clients: Clients, plan: Plan, via: Via, to: str, subject: str, proof: Proof | None = None
) -> str | Trouble:
    """Return the mail's id. Every mail passes here, and none goes anywhere else."""
    denied = proof is not None and proof.denies(plan.sender, to, via)
    if not is_simulators(to) and not denied:
        raise AuditorError(f"not sent: {to!r} isn't an address of the mailbox simulator")
    try:
        answer = understood(lambda: _call(clients, plan, via, to, subject))
    except AWS_ERRORS as error:
        return trouble_of(error, sender=plan.sender, to=to)
    found = answer.get("MessageId") if isinstance(answer, dict) else None
    if not isinstance(found, str) or not found:
        return Trouble("no-message-id", "AWS's answer holds no MessageId: something else answered")
    return found


def _call(clients: Clients, plan: Plan, via: Via, to: str, subject: str) -> Any:
    """Make the one call. ``ToAddresses`` has one address, and there is no Cc or Bcc."""
    named = plan.configuration_set
    more = {} if named is None else {"ConfigurationSetName": named}
    if via == "v2":
        content = {"Subject": {"Data": subject}, "Body": {"Text": {"Data": _TEXT}}}
        return clients.sesv2.send_email(
            FromEmailAddress=plan.sender,
            Destination={"ToAddresses": [to]},
            Content={"Simple": content},
            **more,
        )
    if via == "v1":
        return clients.ses.send_email(
            Source=plan.sender,
            Destination={"ToAddresses": [to]},
            Message={"Subject": {"Data": subject}, "Body": {"Text": {"Data": _TEXT}}},
            **more,
        )
    if via == "templated":
        return clients.ses.send_templated_email(
            Source=plan.sender,
            Destination={"ToAddresses": [to]},
            Template=plan.template,
            TemplateData=plan.template_data,
            **more,
        )
    # With Destinations given, SES doesn't look for recipients in the headers:
    # https://docs.aws.amazon.com/ses/latest/APIReference/API_SendRawEmail.html
    return clients.ses.send_raw_email(
        Source=plan.sender,
        Destinations=[to],
        RawMessage={"Data": _raw(plan.sender, to, subject)},
        **more,
    )


def _raw(sender: str, to: str, subject: str) -> bytes:
    mail = EmailMessage(policy=SMTP)
    mail["From"] = sender
    mail["To"] = to
    mail["Subject"] = subject
    mail.set_content(_TEXT)
    return mail.as_bytes()
