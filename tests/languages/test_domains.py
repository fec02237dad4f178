"""The automata of mailboxes, regions and names against their definitions in plain words."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditor import domains
from auditor.domains import DEAD, MAILBOX, REGION, RESOURCES, is_mailbox, is_region, regions_of
from auditor.globs import like
from auditor.languages import find

if TYPE_CHECKING:
    from auditor.domains import Domain

relaxed = settings(deadline=None, max_examples=400)


def accepts(domain: Domain, text: str) -> bool:
    state = domain.start
    for char in text:
        state = domain.step(state, char)
        if state == DEAD:
            return False
    return domain.accepts(state)


LABEL = "[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
SPELLED = re.compile(rf"(?=[^@]{{1,64}}@){ATOM}(\.{ATOM})*@{LABEL}(\.{LABEL})+")
LABELS = st.lists(st.text("aZ9-", max_size=4) | st.just("b" * 63), max_size=3).map(".".join)
LOCALS = st.text("aZ9.-_*", max_size=5) | st.sampled_from(("c" * 64, "c" * 65))
NEARLY = st.text("aZ09.-@_*é:", max_size=12) | st.builds("{}@{}".format, LOCALS, LABELS)


@relaxed
@given(NEARLY)
def test_a_mailbox_is_what_its_definition_says(text: str) -> None:
    """``is_mailbox`` is RFC 5321's dot-atom form with at least two LDH labels, spelled out."""
    assert is_mailbox(text) == (SPELLED.fullmatch(text) is not None)


@relaxed
@given(NEARLY)
def test_the_mailbox_automata_agree_with_is_mailbox(text: str) -> None:
    """The counting automaton is exact; the plain one leaves out lengths and nothing else."""
    assert MAILBOX.counted is not None
    assert accepts(MAILBOX.counted, text) == is_mailbox(text)
    if is_mailbox(text):
        assert accepts(MAILBOX, text)
    local, _, domain = text.partition("@")
    if len(local) <= 64 and all(len(label) <= 63 for label in domain.split(".")):
        assert accepts(MAILBOX, text) == is_mailbox(text)


@pytest.mark.parametrize(
    ("text", "valid"),
    [
        ("a" * 64 + "@example.com", True),
        ("a" * 65 + "@example.com", False),
        ("a@" + "b" * 63 + ".com", True),
        ("a@" + "b" * 64 + ".com", False),
        ("a@b", False),
        ("a@b.c", True),
        ("a@-b.c", False),
        ("a@b-.c", False),
        ("a@b--c.d", True),
        ("a@b..c", False),
        ("a.@b.c", False),
        (".a@b.c", False),
        ("a..b@c.d", False),
        ("a@b@c.d", False),
        ("", False),
        ("*@b.c", True),
        ('"a b"@c.d', False),
        ("é@c.d", False),
        ("a@b.c\n", False),
    ],
)
def test_mailboxes_by_example(text: str, valid: bool) -> None:
    """Edges of the definition: lengths, dots, hyphens, labels."""
    assert is_mailbox(text) is valid
    assert MAILBOX.counted is not None
    assert accepts(MAILBOX.counted, text) is valid


@relaxed
@given(st.text("az-19", max_size=14) | st.sampled_from(REGION.nice))
def test_the_region_automaton_agrees_with_is_region(text: str) -> None:
    """A region is letters, words and a number of one or two digits, between hyphens."""
    spelled = re.fullmatch(r"[a-z]{2,}(-[a-z]+)+-[0-9]{1,2}", text) is not None
    assert is_region(text) == spelled == accepts(REGION, text)


@pytest.mark.parametrize("partition", ["aws", "aws-cn", "aws-us-gov", "aws-iso", "aws-iso-b"])
def test_each_partition_has_its_own_regions(partition: str) -> None:
    """The known regions fall to one partition each: no region belongs to two of those listed."""
    names = ("aws", "aws-cn", "aws-us-gov", "aws-iso", "aws-iso-b")

    def holds(name: str, region: str) -> bool:
        wanted, unwanted = regions_of(name)
        return (wanted is None or like(wanted).matches(region)) and not any(
            like(glob).matches(region) for glob in unwanted
        )

    mine = [region for region in REGION.nice if holds(partition, region)]
    assert mine
    for region in mine:
        assert [name for name in names if holds(name, region)] == [partition]


@pytest.mark.parametrize("kind", sorted(RESOURCES))
@relaxed
@given(text=st.text("a/-:", max_size=6))
def test_a_resources_name_follows_its_type(kind: str, text: str) -> None:
    """The sixth part of an ARN is the type, a slash and some name."""
    domain = RESOURCES[kind]
    assert accepts(domain, f"{kind}/{text}") == domain.contains(f"{kind}/{text}")
    assert not domain.contains(text)
    assert not domain.contains(f"{kind}/")


@pytest.mark.parametrize(
    "domain",
    [MAILBOX, REGION, domains.ACCOUNT, domains.ANYTHING, *RESOURCES.values(),
     domains.user_id("AROAEXAMPLE"), domains.TRUE_OR_FALSE, domains.API_VERSION],
    ids=lambda domain: domain.name,
)  # fmt: skip
def test_the_values_tried_first_belong(domain: Domain) -> None:
    """Each domain's own values are in it, by definition and automaton, and a search finds one."""
    assert domain.nice
    for text in domain.nice:
        assert domain.contains(text)
        assert accepts(domain, text)
    assert find(domain, (), frozenset()).value == domain.nice[0]


@relaxed
@given(st.text("AROEX:b-_=@,.+é", max_size=20))
def test_a_user_id_is_the_roles_id_and_a_session_name(text: str) -> None:
    """``aws:userid`` is the role's id, a colon, and 2 to 64 characters that STS allows."""
    domain = domains.user_id("AROX")
    for shown in (text, f"AROX:{text}"):
        wanted = re.fullmatch(r"AROX:[A-Za-z0-9_+=,.@-]{2,64}", shown) is not None
        assert domain.contains(shown) == wanted == accepts(domain, shown)
