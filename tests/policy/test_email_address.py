# ruff: noqa: RUF001 - characters that look like others are what is tested
"""What is an address: nothing that may exist is refused, nothing around an address is taken."""

import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from disconnect_events.identifier import Email
from disconnect_fanout.domain.mailbox import mailbox

EMAIL: TypeAdapter[str] = TypeAdapter(Email)


def accepted(address: str) -> bool:
    """Whether an event may name this address."""
    try:
        return EMAIL.validate_python(address) == address
    except ValidationError:
        return False


def the_library_takes(address: str) -> bool:
    """Whether email-validator does, as generous as it can be made."""
    try:
        validate_email(
            address,
            allow_smtputf8=True,
            allow_quoted_local=True,
            allow_domain_literal=True,
            globally_deliverable=False,
            check_deliverability=False,
        )
    except EmailNotValidError:
        return False
    return True


ORDINARY = [
    "alice@example.com", "ALICE@Example.COM", "a+b@x.example", "o'hara@x.example", "a-@b.c",
    "a/b=c%d!e@x.example", "#$&*^`{|}~?@x.example", "_@b.c", "*@b.c", "user@corp", "a@1.2.3.4",
    '"quoted"@x.example', "a@[192.0.2.1]", "a@[IPv6:::1]", "ünï+tag@exämple.com", "é@b.c",
    "e\u0301@b.c", "a@bücher.example", "a@xn--bcher-kva.example", "山田@例え.jp", "a@b。c",
    "a@straße.example", f"{'a' * 64}@x.example", "a@x.internal",
]  # fmt: skip
REALLY_THERE = [
    "a..b@docomo.ne.jp", "a.@docomo.ne.jp", "a@b.example.", "a@☕.example", "a@i❤\ufe0f.ws",
    "a@xn--ls8h.la", "a@x_y.example", "a@_smtp.x.example", "root@localhost", "a@x.test",
    "a@x.local", f"{'a' * 100}@x.example", "a@ab--cd.example",
]  # fmt: skip
AROUND_IT = [
    "<a@b.c>", '"Name" <a@b.c>', "Name<a@b.c>", "a@b.c>", "<a@b.c", "mailto:a@b.c", "a@b.c?x=1",
    "a@b.c,", "a@b.c;", "a@b.c:", "a@b.c!", ",a@b.c", "a@b.c,d@e.f", "a@b.c;d@e.f", "(a@b.c)",
    "a@b.c(work)", "(work)a@b.c", "[a@b.c]", "{a@b.c}", "'a@b.c'", '"a@b.c"', "`a@b.c`", "a@b.c'",
    "“a@b.c”", "‘a@b.c’", "«a@b.c»", "„a@b.c“", "〈a@b.c〉", "「a@b.c」", "＜a@b.c＞", "a@b.c，",
    "a@b.c、", "a@b.c…", "https://a@b.c/", "a@b.c/", "a@b:25", "a@b.c\\", "a@b.c|", "a@b.c=",
]  # fmt: skip
NO_ADDRESS = [
    "", "@", "a", "a@", "@b", "a@@b", "a@b@c", "a b@c.d", "a@b c.d", " a@b.c", "a@b.c ", "a@b.c\n",
    "a@b.c\r\nBcc: d@e.f", "a\t@b.c", "a@.b", "a@b..c", "a@b.c..", "a@.", "a@-b.c", "a@b-.c",
    ".a@b.c", '""@b.c', 'a"b@c.d', "a,b@c.d", "a;b@c.d", "a:b@c.d", "a<b@c.d", "a[b]@c.d",
    "a\\b@c.d",
    "a@[b]", "a@[1.2.3.4", "a@b*c.d", "a@b＠c.d", "a@℀.d", "a@ﷺ.d", "a@\ufe0f.d", "a@。",
    "a\u200b@b.c",
    "a@b\u00ad.c", "\ufeffa@b.c", f"a@{'b' * 319}", f"a@{'ü' * 160}.{'é' * 150}",
    "\u0958" * 165 + "@b.c", "a\ud800@b.c", "null", "alice at example.com",
    "alice[at]example.com", "%40", "a%40b.c",
]  # fmt: skip


@pytest.mark.parametrize("address", ORDINARY)
def test_what_the_library_takes_is_taken(address: str) -> None:
    """Plus signs, apostrophes, both forms of a domain, quoted parts, literals."""
    assert the_library_takes(address)
    assert accepted(address)


@pytest.mark.parametrize("address", REALLY_THERE)
def test_what_exists_against_the_rules_is_taken_too(address: str) -> None:
    """Where email-validator says no: old docomo mailboxes, emoji, underscores, names at home."""
    assert not the_library_takes(address) or len(address) > 64
    assert accepted(address)


@pytest.mark.parametrize("address", [*AROUND_IT, *NO_ADDRESS])
def test_what_is_no_address_alone_is_refused(address: str) -> None:
    """Names, brackets, quotes, lists, links, commas left over, spaces, and half an address."""
    assert not accepted(address)


@settings(max_examples=50)
@given(
    st.emails(
        domains=st.from_regex(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z]{2,9}){0,3}", fullmatch=True)
    )
)
def test_every_ordinary_address_is_taken(address: str) -> None:
    """As RFC 5322 makes them, up to 320 characters."""
    assert accepted(address) is (len(address) <= 320)


letters = st.characters(min_codepoint=0x21, exclude_categories=("C", "Z"), exclude_characters="@")
pieces = st.text(letters, min_size=1, max_size=6)
unquoted = st.text(
    st.characters(
        min_codepoint=0x21,
        exclude_categories=("C", "Z", "Ps", "Pe", "Pi", "Pf"),
        exclude_characters="@",
    ),
    min_size=1,
    max_size=6,
)


@settings(max_examples=100)
@given(unquoted, st.lists(unquoted, min_size=1, max_size=3).map(".".join))
def test_the_library_takes_nothing_that_is_refused(local: str, domain: str) -> None:
    """But for quotes of other scripts, and for what IDNA maps to a comma or a space."""
    address = f"{local}@{domain}"
    if not accepted(address) and accepted_before_mapping(address):
        assert not the_library_takes(address)


def accepted_before_mapping(address: str) -> bool:
    """Only those whose domain is the same once it is mapped."""
    return mailbox(address).rpartition("@")[2] == address.rpartition("@")[2]


@settings(max_examples=100)
@given(pieces, st.lists(pieces, min_size=1, max_size=3).map(".".join))
@example("a", "\u3164.com")
@example("\u2329", "b.c")
@example("\u0958" * 155, "b.c")
@example("a", "ü" * 200)
@example("İ" * 100, "ﬃ.example")
def test_the_form_in_which_it_is_compared_is_an_address_too(local: str, domain: str) -> None:
    """So whatever is made of an address that was accepted, an event can carry it."""
    address = f"{local}@{domain}"
    if accepted(address):
        assert accepted(mailbox(address))
        assert mailbox(mailbox(address)) == mailbox(address)
