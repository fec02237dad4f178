"""THE function of the test: a plan and clients in, what was found out."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from auditor.corrective.documents import sender as smallest
from auditor.corrective.scope import Scope
from auditor.errors import AuditorError, InputError
from auditor.smoke.clients import caller_of
from auditor.smoke.events import judge, told
from auditor.smoke.refused import NotProven, Place, Proof, prove, with_identities
from auditor.smoke.result import REFUSED, Caller, Outcome, Run
from auditor.smoke.scenarios import ACTIONS, OPERATIONS, OUTSIDE, SCENARIOS
from auditor.smoke.send import send, send_outside
from auditor.smoke.trouble import Trouble
from auditor.smoke.wait import Clock, Heard, listen
from auditor.text import one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from auditor.account import Account
    from auditor.smoke.clients import Clients
    from auditor.smoke.plan import Plan
    from auditor.smoke.result import Listened, Sent
    from auditor.smoke.scenarios import Via

    Reader = Callable[[Caller], Account]
    """Returns an account that holds the caller's role; raises ``AuditorError`` with why not."""


class Around(NamedTuple):
    """What a run needs beside AWS's clients: the region, the reader of roles, clocks, a voice."""

    region: str
    read: Reader
    step: Callable[[str], None] = lambda _: None
    clock: Clock = Clock()
    now: Callable[[], datetime] = lambda: datetime.now(UTC)


def smoke(clients: Clients, plan: Plan, around: Around) -> Run:
    """Send to every scenario, listen for what becomes of it, and say how each ended.

    :raises CollectError: if there are no credentials: then nothing was sent.
    """
    started, since = around.now(), time.monotonic()
    found = caller_of(clients.sts)
    caller = found if isinstance(found, Caller) else None
    remarks = [] if caller else [f"STS doesn't say who is calling: {found}"]
    sent: list[Sent] = []
    for via in plan.vias:
        for scenario in SCENARIOS:
            around.step(f"sending to {scenario.mailbox} by {OPERATIONS[via]}")
            sent.append(send(clients, plan, via, scenario))
    outcomes = _refused(clients, plan, around, caller) if plan.refused else []
    heard = None
    listened: Listened = "not asked"
    if plan.queue is not None and any(one.message_id for one in sent):
        around.step(f"listening for events, for {plan.wait:g} seconds at most")
        heard = listen(clients.sqs, plan.queue, sent, plan.wait, around.clock)
        listened = "unreadable" if heard.trouble else "heard"
        remarks += heard.remarks
    ended = [_outcome(one, heard, plan) for one in sent]
    return Run(
        label=plan.label,
        sender=plan.sender,
        region=around.region,
        caller=caller,
        started=started,
        seconds=time.monotonic() - since,
        listened=listened,
        outcomes=(*ended, *outcomes),
        others=heard.others if heard else 0,
        odd=len(heard.odd) if heard else 0,
        policy=_policy(plan, around.region, caller, sent),
        remarks=(*remarks, *_odd(heard)),
    )


def _odd(heard: Heard | None) -> Iterable[str]:
    if heard is not None and heard.odd:
        yield f"left in the queue, no events of SES: {', '.join(dict.fromkeys(heard.odd))}"


def _outcome(one: Sent, heard: Heard | None, plan: Plan) -> Outcome:
    """Return how a scenario ended."""
    made = Outcome(one.scenario.mailbox, one.via, one.address, one.message_id, (), "")
    if one.trouble is not None or one.message_id is None:
        trouble = one.trouble or Trouble("no-message-id", "AWS gave the mail no id")
        return made._replace(says=trouble.message, trouble=trouble)
    if heard is None:
        return made._replace(says="accepted by SES; nobody asked what became of it")
    events = heard.events.get(one.message_id, ())
    judgment = judge(one.scenario, one.address, events)
    made = made._replace(events=tuple(dict.fromkeys(map(str, events))))
    if judgment.unexpected:
        text = f"accepted, then came {_described(judgment.unexpected[0])}"
        return made._replace(says=text, trouble=Trouble("unexpected-event", text))
    if not judgment.missing:
        return made._replace(says=f"{one.scenario.says} ({told(events)})")
    missing = " and ".join(map(str, judgment.missing))
    if heard.trouble is not None:
        text = f"accepted; {missing} can't be looked for: {heard.trouble.message}"
        return made._replace(says=text, trouble=Trouble("queue-unreadable", text))
    what = f"no {missing} came in {plan.wait:g} s"
    if heard.cut:
        what = f"no {missing} was in that part of the queue that could be looked at"
    text = f"accepted, but {what}; seen: {told(events)}"
    return made._replace(says=text, trouble=Trouble("event-missing", text))


def _described(event: object) -> str:
    destination = getattr(event, "destination", ())
    about = f" about a mail to {', '.join(destination[:3])}" if destination else ""
    return one_line(f"{event}{about}")


def _refused(clients: Clients, plan: Plan, around: Around, caller: Caller | None) -> list[Outcome]:
    """Check that mail to an address outside is refused: proven first, then tried."""
    around.step("deciding whether AWS refuses mail outside the simulator")
    proof = _proof(clients, plan, around, caller)
    found: list[Outcome] = []
    for via in plan.vias:
        outcome = _refusal(clients, plan, via, proof)
        found.append(outcome)
        if isinstance(proof, Proof) and not outcome.passed:
            # IAM should have refused this one. It didn't, or nobody knows: a reason to stop.
            proof = NotProven(_doubted(outcome))
    return found


def _doubted(outcome: Outcome) -> str:
    """Return why nothing more is tried after a mail that IAM was proven to refuse and didn't."""
    operation = OPERATIONS[outcome.via]
    if outcome.message_id is not None:
        return f"AWS accepted mail to {OUTSIDE} by {operation}, which disproves what was decided"
    return f"IAM didn't refuse mail to {OUTSIDE} by {operation}, so what was decided is in doubt"


def _proof(
    clients: Clients, plan: Plan, around: Around, caller: Caller | None
) -> Proof | NotProven:
    if caller is None:
        return NotProven("STS doesn't say whose role this is")
    if caller.role is None:
        return NotProven("the credentials aren't a role's, so there are no policies to decide")
    place = Place(caller, around.region, plan.sender)
    try:
        account = with_identities(around.read(caller), clients.sesv2, place)
    except AuditorError as error:
        return NotProven(one_line(f"the role's policies can't be read: {error}"))
    return prove(account, place, around.now())


def _refusal(clients: Clients, plan: Plan, via: Via, proof: Proof | NotProven) -> Outcome:
    made = Outcome(REFUSED, via, None, None, (), "")
    if isinstance(proof, NotProven):
        text = f"nothing was sent: {proof.why}"
        return made._replace(
            says=text, trouble=Trouble("open" if proof.open else "not-attempted", text)
        )
    found = send_outside(clients, plan, via, proof)
    made = made._replace(address=OUTSIDE)
    if isinstance(found, str):
        text = (
            f"AWS ACCEPTED mail to {OUTSIDE}, which had to be refused ({proof.says}): this role can"
            " mail real people; take its permission to send away, and report this"
        )
        return made._replace(message_id=found, says=text, trouble=Trouble("accepted", text))
    if found.kind == "denied":
        return made._replace(says=f"refused by IAM, as {proof.says}")
    text = f"not refused by IAM, though {proof.says}; stopped by: {found.message}"
    return made._replace(says=text, trouble=Trouble(found.kind, text))


def _policy(
    plan: Plan, region: str, caller: Caller | None, sent: Iterable[Sent]
) -> Mapping[str, object] | None:
    """Return the smallest policy that lets through what was denied, None where none helps.

    No Allow of the role's helps against a Deny, or against a layer around the role.
    """
    denied = [
        one.via
        for one in sent
        if one.trouble and one.trouble.kind == "denied" and one.trouble.denial in ("role", "untold")
    ]
    if not denied:
        return None
    actions = tuple(dict.fromkeys(ACTIONS[via] for via in denied))
    domain = plan.sender.rpartition("@")[2]
    try:
        return smallest(
            Scope(
                actions=actions,
                identities=(domain, plan.sender),
                configuration_sets=(plan.configuration_set,) if plan.configuration_set else (),
                templates=(plan.template,) if plan.template and "templated" in denied else (),
                from_address=plan.sender,
                partition=caller.partition if caller else "aws",
                account=caller.account if caller else "*",
                regions=(region,),
            )
        )
    except InputError:  # an address with characters that a policy gives another meaning
        return smallest(Scope(actions=actions))
