"""Documents as they come: every legal shape is read, every illegal one refused with its place."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.errors import PolicyError
from auditor.policy.model import Document
from auditor.policy.parse import DOCUMENT_MAX, load, parse

relaxed = settings(deadline=None, max_examples=300)
SEND: dict[str, Any] = {"Effect": "Allow", "Action": "ses:SendEmail", "Resource": "*"}


def of(*statements: object, **top: object) -> dict[str, object]:
    return {"Version": "2012-10-17", "Statement": list(statements), **top}


def with_(**fields: object) -> dict[str, object]:
    return of({**SEND, **fields})


def condition(block: object) -> dict[str, object]:
    return with_(Condition=block)


LIKE = {"StringLike": {"ses:FromAddress": "*@example.com"}}


@pytest.mark.parametrize(
    ("document", "count"),
    [
        (of(SEND), 1),
        ({"Statement": SEND}, 1),  # one statement object; no Version
        ({"Version": "2008-10-17", "Statement": [SEND]}, 1),
        (of(), 0),
        (of(SEND, SEND, Id="cd3ad3d9-2776-4ef1-a904-4c229d1642ee"), 2),
        (with_(Action=["ses:SendEmail", "s3:*"]), 1),
        (with_(Action=[]), 0),
        (with_(Action="*"), 1),
        (with_(Action="SES:sendemail"), 1),
        (with_(Action="ses:Send?mail"), 1),
        (with_(Action="s3:*"), 0),
        (with_(Resource=[]), 0),
        (with_(Resource="arn:aws:ses"), 1),
        (with_(Resource="arn:aws:s3:::bucket"), 0),
        (with_(Resource="arn:aws:${*}:*"), 1),
        (with_(Sid=""), 1),
        (of({"Effect": "Deny", "NotAction": [], "Resource": "*"}), 1),
        (of({"Effect": "Deny", "NotAction": "*", "Resource": "*"}), 0),
        (of({"Effect": "Deny", "NotAction": "ses:*", "NotResource": []}), 0),
        (of({"Effect": "Deny", "Action": "ses:*", "NotResource": []}), 1),
        (of({"Effect": "Deny", "Action": "ses:*", "NotResource": "*"}), 0),
        (condition({}), 1),
        (condition(LIKE), 1),
        (condition({"stringlike": {"SES:FROMADDRESS": []}}), 1),
        (condition({"NumericLessThan": {"aws:MultiFactorAuthAge": 3600}}), 1),
        (condition({"NumericLessThan": {"aws:MultiFactorAuthAge": [1.5, "2", True]}}), 1),
        (condition({"Bool": {"aws:SecureTransport": False}}), 1),
        (condition({"ForAnyValue:StringLikeIfExists": {"aws:x": "y"}}), 1),
        (condition({"Null": {"aws:x": "true"}}), 1),
        (condition({"StringLike": {}}), 1),
    ],
)  # fmt: skip
def test_legal_shapes(document: object, count: int) -> None:
    """What the grammar allows is read, as an object, as JSON text and URL-encoded alike.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
    """
    text = json.dumps(document)
    for form in (document, text, f"\n {text} ", quote(text), quote(text, safe="")):
        assert len(parse(form).statements) == count


@pytest.mark.parametrize(
    ("document", "where", "what"),
    [
        (None, "", "a policy document is an object, not null"),
        (7, "", "not a number"),
        ([], "", "not a list"),
        (True, "", "not a boolean"),
        ("", "", "not JSON"),
        ("{", "", "not JSON"),
        ('"{}"', "", "not a string"),
        ("%7B%22Version%22", "", "not JSON"),
        ("[1]", "", "not a list"),
        ("{}", "", "there is no Statement"),
        ({"Version": "2012-10-17"}, "", "there is no Statement"),
        ({"Version": "2012-10-17", "statement": []}, "", "unknown element 'statement'"),
        ({"Version": "2012-10-18", "Statement": []}, "Version", "'2012-10-18' is neither"),
        ({"Version": ["2012-10-17"], "Statement": []}, "Version", "is neither"),
        ({"Version": None, "Statement": []}, "Version", "None is neither"),
        (of("x"), "Statement[0]", "a statement is an object, not a string"),
        (of(SEND, None), "Statement[1]", "not null"),
        ({"Statement": None}, "Statement[0]", "not null"),
        (of({"Action": "ses:*", "Resource": "*"}), "Statement[0]", "there is no Effect"),
        (with_(Effect="allow"), "Statement[0]", "unknown Effect 'allow'"),
        (with_(Effect=["Allow"]), "Statement[0]", "unknown Effect"),
        (with_(Principal="*"), "Statement[0]", "unknown element 'Principal'"),
        (with_(Sid=3), "Statement[0].Sid", "not a number"),
        (with_(NotAction="s3:*"), "Statement[0]", "both Action and NotAction"),
        (with_(NotResource="x"), "Statement[0]", "both Resource and NotResource"),
        (of({"Effect": "Allow", "Resource": "*"}), "Statement[0]", "neither Action nor"),
        (of({"Effect": "Allow", "Action": "*"}), "Statement[0]", "neither Resource nor"),
        (with_(Action=3), "Statement[0].Action", "not a number"),
        (with_(Action=["ses:*", None]), "Statement[0].Action[1]", "not null"),
        (with_(Resource={}), "Statement[0].Resource", "not an object"),
        (with_(Resource=[["*"]]), "Statement[0].Resource[0]", "not a list"),
        (with_(Action="s?s:Send*"), "Statement[0]", "'s?s:Send*' needs a service prefix"),
        (with_(Action="*:*"), "Statement[0]", "'*:*' needs a service prefix"),
        (with_(Action="**"), "Statement[0]", "needs a service prefix"),
        (with_(Action="ses"), "Statement[0]", "needs a service prefix"),
        (with_(Action=":SendEmail"), "Statement[0]", "needs a service prefix"),
        (with_(Action=""), "Statement[0]", "needs a service prefix"),
        (condition([]), "Statement[0].Condition", "not a list"),
        (condition({"StringMatches": {}}), "Statement[0].Condition", "unknown condition operator"),
        (condition({"ForEachValue:StringLike": {}}), "Statement[0].Condition", "unknown condition"),
        (condition({"NullIfExists": {}}), "Statement[0].Condition", "unknown condition operator"),
        (condition({"ForAllValues:Null": {}}), "Statement[0].Condition", "unknown condition"),
        (condition({"IfExists": {}}), "Statement[0].Condition", "unknown condition operator"),
        (condition({"": {}}), "Statement[0].Condition", "unknown condition operator"),
        (condition({"NotBool": {}}), "Statement[0].Condition", "unknown condition operator"),
        (condition({"StringLike": "x"}), "Statement[0].Condition.StringLike", "not a string"),
        (
            condition({"StringLike": {"aws:x": None}}),
            "Statement[0].Condition.StringLike.aws:x",
            "not null",
        ),
        (
            condition({"StringLike": {"aws:x": [["y"]]}}),
            "Statement[0].Condition.StringLike.aws:x",
            "not a list",
        ),
        ('{"Statement": [], "Statement": []}', "", "given twice"),
        ("[" * 100_000, "", "nested too deeply"),
        ('{"Statement":' * 60_000, "", "nested too deeply"),
        ('{"Statement": ' + "1" * 5_000 + "}", "", "not JSON"),
        (" " * DOCUMENT_MAX + "{}", "", "longer than 1,000,000 characters"),
    ],
)  # fmt: skip
def test_illegal_shapes_are_refused_with_their_place(
    document: object, where: str, what: str
) -> None:
    """What IAM would not accept raises ``PolicyError`` that says where and what."""
    with pytest.raises(PolicyError) as caught:
        parse(document)
    assert caught.value.where == where
    assert what in caught.value.what
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "odd",
    [
        {"StringMatches": {"aws:x": "y"}},
        {"StringLike": {"aws:x": None}},
        {"StringLike": []},
    ],
)
def test_the_conditions_of_other_services_are_not_read(odd: object) -> None:
    """A statement that can't touch a send can't spoil its document, however odd its conditions."""
    other = {"Effect": "Allow", "Action": "s3:*", "Resource": "*", "Condition": odd}
    elsewhere = {**SEND, "Resource": "arn:aws:s3:::bucket/*", "Condition": odd}
    assert len(parse(of(SEND, other, elsewhere)).statements) == 1


def test_a_long_value_is_shortened_in_its_error() -> None:
    """Policy text is untrusted: an error shows at most 60 characters of it, in ASCII."""
    with pytest.raises(PolicyError) as caught:
        parse(with_(Action="\u202e" + "x" * 5_000))
    assert len(str(caught.value)) < 200
    assert str(caught.value).isascii() or "…" in str(caught.value)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)


def outcome(document: object) -> Document | PolicyError:
    """Return what ``parse`` makes of a document; anything but these two fails the test."""
    try:
        return parse(document)
    except PolicyError as error:
        return error


@relaxed
@given(JSON)
def test_any_json_is_read_or_refused(document: object) -> None:
    """Whatever JSON comes, ``parse`` returns a document or raises ``PolicyError``."""
    for form in (document, json.dumps(document), quote(json.dumps(document))):
        assert isinstance(outcome(form), Document | PolicyError)


WORDS = st.sampled_from(("ses:Send*", "*", "arn:aws:ses:*:*:*", "Allow", "Deny", "${", "${a,'", ""))
FIELDS = st.sampled_from(
    ("Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition", "Principal")
)
BLOCKS = st.dictionaries(
    st.sampled_from(("StringLike", "ForAnyValue:Bool", "Null", "DateEquals", "X")),
    st.dictionaries(st.sampled_from(("ses:Recipients", "aws:x", "")), JSON | WORDS, max_size=2),
    max_size=2,
)
NEARLY = st.fixed_dictionaries(
    {"Statement": st.lists(st.dictionaries(FIELDS, WORDS | JSON | BLOCKS, max_size=6), max_size=3)},
    optional={"Version": st.sampled_from(("2012-10-17", "2008-10-17")), "Id": JSON},
)


@relaxed
@given(NEARLY)
def test_anything_near_a_policy_is_read_or_refused(document: object) -> None:
    """So it is with what looks like a policy: a document, or an error with its place."""
    found = outcome(document)
    assert isinstance(found, Document) or found.what


@relaxed
@given(st.text(max_size=40) | st.binary(max_size=40).map(lambda raw: raw.decode("latin-1")))
def test_any_text_is_read_or_refused(text: str) -> None:
    """A document that comes as text is JSON, URL-encoded JSON, or refused."""
    found = outcome(text)
    assert isinstance(found, Document) or found.what


@relaxed
@given(st.dictionaries(st.text(max_size=6), JSON, max_size=3))
def test_url_encoding_changes_nothing(top: dict[str, object]) -> None:
    """IAM sends documents URL-encoded (RFC 3986): decoded, they are the same."""
    text = json.dumps(top)
    assert json.dumps(load(quote(text))) == json.dumps(load(text)) == text
