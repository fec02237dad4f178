"""A From address and an identity that it belongs to: the address, its domain, or a parent of it."""

from __future__ import annotations

from auditor.domains import is_mailbox
from auditor.engine import constraints
from auditor.engine.ties import Pair, pair
from auditor.globs import like

NOTHING: frozenset[constraints.Test] = frozenset()


def inside(*patterns: str) -> frozenset[constraints.Test]:
    return frozenset((constraints.Test(frozenset(map(like, patterns)), inside=True),))


def found(
    sender: frozenset[constraints.Test], identity: frozenset[constraints.Test]
) -> tuple[str, str]:
    answer: Pair = pair(sender, identity)
    assert answer.sender is not None
    assert answer.identity is not None
    assert is_mailbox(answer.sender)
    return answer.sender, answer.identity.removeprefix("identity/")


def none(sender: frozenset[constraints.Test], identity: frozenset[constraints.Test]) -> bool:
    """Tell whether there is no pair, for sure."""
    answer = pair(sender, identity)
    return answer.sender is None and answer.identity is None and answer.undecided is None


def test_a_pair_is_searched_where_no_guess_fits() -> None:
    """Neither the first address nor the first identity has a partner; the search finds the pair."""
    senders = inside("*@*.first.org", "*@*z7.com")
    identities = inside("identity/*z?*.com", "identity/aa.net")
    assert found(senders, identities)[0].endswith("z7.com")
    no_address = constraints.Test(frozenset((like("*@*"),)), inside=False)
    sender, identity = found(senders, identities | {no_address})
    domain = sender.partition("@")[2]
    assert identity == domain or domain.endswith(f".{identity}")
    assert like("*z?*.com").matches(identity)


def test_the_search_goes_up_to_a_parent_domain_and_stops_at_dots() -> None:
    """``z7.com`` is a parent of ``q.z7.com`` and nothing to ``fooz7.com``."""
    of_two = inside("identity/z?.com", "identity/aa.net")
    sender, identity = found(inside("*@*.first.org", "*@*q.z7.com"), of_two)
    assert sender.endswith("q.z7.com")
    assert identity == "z7.com"
    assert none(inside("*@*.first.org", "*@fooz7.com"), of_two)


def test_an_identity_is_a_domain_of_two_labels_or_a_whole_address() -> None:
    """``com`` is no identity, nor is what isn't a mailbox."""
    assert none(inside("*@*.com"), inside("identity/com"))
    assert none(inside("*@*q*.com"), inside("identity/c?m"))
    assert none(NOTHING, inside("identity/someone@com"))
    assert none(NOTHING, inside("identity/a..b@example.org"))


def test_an_address_that_is_the_identity_passes_each_of_the_sender_s_tests() -> None:
    """One failing test is enough to rule it out."""
    jane = inside("identity/jane@example.org")
    assert found(inside("*@example.org"), jane) == ("jane@example.org", "jane@example.org")
    assert none(inside("*@example.org") | inside("bob@*"), jane)
    assert none(inside("bob@*"), jane)


def test_the_search_reads_the_address_from_its_first_character() -> None:
    """A sender whose address must begin so does, also where the pair must be searched for."""
    senders = inside("q?r@*.first.org", "q?r@*z7.com")
    sender, identity = found(senders, inside("identity/*z?*.com", "identity/aa.net"))
    assert like("q?r@*z7.com").matches(sender)
    assert like("*z?*.com").matches(identity)


def test_an_identity_of_a_pair_passes_each_of_its_tests() -> None:
    """A likely name that passes one of two tests is none."""
    other = constraints.Test(frozenset((like("identity/example.*"),)), inside=False)
    sender, identity = found(NOTHING, inside("identity/*.com") | {other})
    assert like("*.com").matches(identity)
    assert not identity.startswith("example.")
    assert sender.endswith(identity)
