"""Recipients: whatever anybody gives, they are the simulator's."""

from __future__ import annotations

from contextlib import redirect_stderr
from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.cli import main
from auditor.domains import LOCAL_MAX, is_mailbox
from auditor.errors import InputError
from auditor.smoke.plan import Plan
from auditor.smoke.queue import queue_region
from auditor.smoke.scenarios import (
    ACTIONS,
    DOMAIN,
    LABEL_MAX,
    OUTSIDE,
    SCENARIOS,
    address,
    is_simulators,
    label_of_build,
)
from auditor.smoke.send import send, send_outside
from tests.smoke.recorder import Recorder, recipients_of

ANY = st.text() | st.from_regex(r"[A-Za-z0-9_@.+, <>\n-]{0,70}", fullmatch=True)
VALID = st.from_regex(r"[A-Za-z0-9_-]{1,48}", fullmatch=True)


@given(ANY | VALID)
def test_every_label_leads_to_the_simulator_or_nowhere(label: str) -> None:
    """A label makes five valid addresses of the simulator's domain, or is refused as input."""
    for scenario in SCENARIOS:
        try:
            made = address(scenario, label)
        except InputError:
            continue
        local, _, domain = made.partition("@")
        assert domain == DOMAIN
        assert local == f"{scenario.mailbox}+{label}"
        assert len(local) <= LOCAL_MAX
        assert is_mailbox(made)


@given(ANY)
def test_only_the_five_names_with_a_label_are_the_simulators(text: str) -> None:
    """No text that isn't made by the table passes for one of its addresses."""
    made = {
        f"{one.mailbox}+{text.rpartition('+')[2].partition('@')[0]}@{DOMAIN}" for one in SCENARIOS
    }
    assert not is_simulators(text) or text in made


@pytest.mark.parametrize(
    "text",
    [
        OUTSIDE,
        "success@simulator.amazonses.com",  # no label: runs would mix
        "someone+run@simulator.amazonses.com",
        "success+run@simulator.amazonses.com.example.com",
        "success+run@example.com",
        "success+run@simulatorxamazonses.com",
        "success+run@simulator.amazonses.com\n",
        "a@example.com, success+run@simulator.amazonses.com",
        "success+run@simulator.amazonses.com,a@example.com",
        "success+a@example.com+run@simulator.amazonses.com",
        f"suppressionlist+{'x' * (LABEL_MAX + 1)}@simulator.amazonses.com",
    ],
)
def test_near_misses(text: str) -> None:
    """What merely looks like one of the simulator's addresses isn't one."""
    assert not is_simulators(text)


@given(st.none() | st.text())
def test_every_build_has_a_label(build: str | None) -> None:
    """Whatever CODEBUILD_BUILD_ID says, the label of it can be sent to."""
    assert all(is_simulators(address(one, label_of_build(build))) for one in SCENARIOS)


def test_labels_tell_builds_apart() -> None:
    """A build's label keeps the end of its id, and builds without one get a random label."""
    build = "a-project-with-quite-a-long-name:4b2a3f1e-9c1d-4f7a-8a53-0c9e1f7d2b11"
    assert label_of_build(build).endswith("4b2a3f1e-9c1d-4f7a-8a53-0c9e1f7d2b11")
    assert label_of_build(None) != label_of_build(None)


@pytest.mark.parametrize("build", ["", ":", " ", "_:-"])
def test_an_id_of_punctuation_labels_nothing(build: str) -> None:
    """An id without a letter or digit would be the same label in each build: a random one is."""
    assert label_of_build(build) != label_of_build(build)


@given(
    sender=ANY | VALID.map("{}@corp.example".format),
    label=ANY | VALID,
    via=st.sampled_from([*ACTIONS]),
    template=VALID | ANY,
    data=ANY | st.just('{"to": "real.person@corp.example"}'),
    configuration_set=st.none() | VALID | ANY,
)
def test_no_option_leads_outside(
    sender: str, label: str, via: str, template: str, data: str, configuration_set: str | None
) -> None:
    """With any options whatever, each call's recipients are one address of the simulator's."""
    try:
        plan = Plan(
            sender=sender,
            label=label,
            vias=(via,),  # type: ignore[arg-type]  # drawn from the table
            template=template if via == "templated" else None,
            template_data=data if via == "templated" else "{}",
            configuration_set=configuration_set,
        )
    except InputError:
        return
    recorder = Recorder()
    for scenario in SCENARIOS:
        send(recorder.clients(), plan, plan.vias[0], scenario)
    assert len(recorder.calls) == len(SCENARIOS)
    for call, scenario in zip(recorder.calls, SCENARIOS, strict=True):
        assert recipients_of(call) == [f"{scenario.mailbox}+{label}@{DOMAIN}"]


def test_nothing_goes_outside_without_a_proof_of_this_very_mail() -> None:
    """A proof about another sender, recipient or action lets nothing out."""
    from auditor.errors import AuditorError
    from auditor.smoke.refused import Proof

    plan = Plan(sender="ci@example.com", label="run")
    actions = frozenset(ACTIONS.values())
    wrong = [
        Proof("other@example.com", OUTSIDE, actions, ""),
        Proof("ci@example.com", "somebody@example.org", actions, ""),
        Proof("ci@example.com", OUTSIDE, actions - {"ses:SendEmail"}, ""),
    ]
    recorder = Recorder()
    for proof in wrong:
        with pytest.raises(AuditorError, match="not sent"):
            send_outside(recorder.clients(), plan, "v2", proof)
    assert recorder.calls == []
    send_outside(recorder.clients(), plan, "v2", Proof("ci@example.com", OUTSIDE, actions, ""))
    assert [recipients_of(call) for call in recorder.calls] == [[OUTSIDE]]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"sender": "nobody"}, "--from"),
        ({"sender": "A <a@example.com>"}, "--from"),
        ({"sender": "a@example.com\nBcc: b@example.com"}, "--from"),
        ({"sender": OUTSIDE}, "--from"),
        ({"sender": "success@simulator.amazonses.com"}, "--from"),
        ({"sender": "ci@Simulator.AmazonSES.com"}, "--from"),
        ({"label": "a b"}, "--label"),
        ({"label": ""}, "--label"),
        ({"wait": -1}, "--wait"),
        ({"wait": float("nan")}, "--wait"),
        ({"configuration_set": "a/b"}, "--configuration-set"),
        ({"vias": ("templated",)}, "--template"),
        ({"template": "welcome"}, "--template"),
        ({"vias": ("templated",), "template": "w", "template_data": "[]"}, "--template-data"),
        ({"vias": ("templated",), "template": "w", "template_data": "{"}, "--template-data"),
        ({"vias": ("templated",), "template": "w", "template_data": "[" * 9999}, "--template-data"),
        ({"queue": "arn:aws:sqs:eu-west-1:123456789012:mail"}, "--events"),
        ({"queue": "https://user:pass@sqs.eu-west-1.amazonaws.com/123456789012/mail"}, "--events"),
        ({"queue": "https://[/123456789012/mail"}, "--events"),
        ({"queue": "file:///123456789012/mail"}, "--events"),
        ({"queue": "https://sqs.eu-west-1.evil.example/123456789012/mail"}, "host of SQS"),
        ({"queue": "https://sqs.eu-west-1.amazonaws.com.evil.example/123456789012/m"}, "host of"),
        ({"queue": "https://evilsqs.eu-west-1.amazonaws.com/123456789012/mail"}, "host of SQS"),
        ({"queue": "https://sqs.eu-west-1.amazonaws.com:4566/123456789012/mail"}, "host of SQS"),
        ({"queue": "https://sqs.eu-west-1.amazonaws.com:x/123456789012/mail"}, "host of SQS"),
        ({"queue": "http://localhost:4566/123456789012/mail"}, "host of SQS"),
        ({"queue": "https://sqs.eu-west-1.amazonaws.com/123456789012/mail.fifo"}, "FIFO"),
    ],
)
def test_bad_options(options: dict[str, object], words: str) -> None:
    """What can't be used is refused before anything is sent, in one line that names the option."""
    values: dict[str, object] = {"sender": "ci@example.com", "label": "run", **options}
    with pytest.raises(InputError) as raised:
        Plan(**values)  # type: ignore[arg-type]  # wrong on purpose
    assert words in str(raised.value)
    assert str(raised.value).isprintable()


@pytest.mark.parametrize(
    ("host", "region"),
    [
        # https://docs.aws.amazon.com/general/latest/gr/sqs-service.html
        ("sqs.eu-west-1.amazonaws.com", "eu-west-1"),
        ("sqs-fips.us-east-2.amazonaws.com", "us-east-2"),
        ("sqs.eu-west-1.api.aws", "eu-west-1"),
        ("eu-west-1.queue.amazonaws.com", "eu-west-1"),
        ("queue.amazonaws.com", "us-east-1"),
        ("sqs.cn-north-1.amazonaws.com.cn", "cn-north-1"),
        ("vpce-0a1b2c3d-4e5f6g7h.sqs.us-east-1.vpce.amazonaws.com", "us-east-1"),
    ],
)
def test_hosts_of_sqs(host: str, region: str) -> None:
    """Each name that AWS gives SQS is taken, and says where the queue is."""
    assert queue_region(f"https://{host}/123456789012/mail", "here") == region


@pytest.mark.parametrize("option", ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_SQS"])
def test_a_host_that_stands_in_for_aws(monkeypatch: pytest.MonkeyPatch, option: str) -> None:
    """Another host and port are taken where AWS's own variable names them, and no others."""
    monkeypatch.setenv(option, "http://localhost:4566/")
    args = ["smoke", "--from", "ci@example.com", "--region", "mars", "--events"]
    errors = []
    for port in (4566, 4567):
        with redirect_stderr(StringIO()) as shown:
            assert main([*args, f"http://localhost:{port}/123456789012/mail"]) == 2
        errors.append(shown.getvalue())
    assert "--region" in errors[0], "the queue itself was taken"
    assert "--events" in errors[1]
