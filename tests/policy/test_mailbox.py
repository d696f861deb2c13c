"""Two addresses are one mailbox: CONTRACT section 4, pair by pair."""

from unicodedata import normalize

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from disconnect_fanout.domain.mailbox import mailbox, readable
from disconnect_fanout.domain.old_spelling import folds, old_spellings

SAME = (
    ("alice@example.com", "ALICE@EXAMPLE.COM"),
    ("User7@Example.Com", "user7@example.com"),
    ("jos\u00e9@x.example", "jose\u0301@x.example"),  # composed, decomposed
    ("JOS\u00c9@x.example", "jos\u00e9@x.example"),
    ("JOSE\u0301@x.example", "jos\u00e9@x.example"),
    ("\u1e9e@x.example", "\u00df@x.example"),  # capital sharp s has a small one
    ("\u03a9mega@x.example", "\u03c9mega@x.example"),
    ("\u2126mega@x.example", "\u03c9mega@x.example"),  # Ohm sign: composing makes it omega
    ("\u212bke@x.example", "\u00e5ke@x.example"),  # Angstrom sign, likewise a-ring
    ("\u0410\u043d\u043d\u0430@x.example", "\u0430\u043d\u043d\u0430@x.example"),
    ("\uac00@x.example", "\u1100\u1161@x.example"),  # a Hangul syllable and its letters
    ("x@b\u00fccher.example", "x@xn--bcher-kva.example"),
    ("x@B\u00dcCHER.example", "x@b\u00fccher.example"),
    ("x@bu\u0308cher.example", "x@b\u00fccher.example"),
    ("x@XN--BCHER-KVA.EXAMPLE", "x@b\u00fccher.example"),
    ("x@wei\u00df.example", "x@xn--wei-7ka.example"),
    ("x@example.com.", "x@example.com"),
    ("x@b\u00fccher.example.", "x@xn--bcher-kva.example"),
    ("x@example\u3002com", "x@example.com"),  # ideographic, fullwidth and halfwidth full stop
    ("x@example\uff0ecom", "x@example.com"),
    ("x@b\u00fccher\uff61example", "x@xn--bcher-kva.example"),
    ("x@\uff45xample.com", "x@example.com"),  # IDNA maps what is wide
    ("x@o\ufb03ce.example", "x@office.example"),  # and ligatures, in a domain
    ("x@\u2615.example", "x@xn--53h.example"),  # no label of today, but there
    ("x@\u4f8b\u3048.\u30c6\u30b9\u30c8", "x@xn--r8jz45g.xn--zckzah"),
)
APART = (
    ("stra\u00dfe@x.example", "strasse@x.example"),
    ("STRA\u1e9eE@x.example", "strasse@x.example"),
    ("x@wei\u00df.example", "x@weiss.example"),
    ("x@xn--wei-7ka.example", "x@weiss.example"),
    ("o\ufb03ce@x.example", "office@x.example"),
    ("\ufb06ar@x.example", "star@x.example"),
    ("\u212aate@x.example", "kate@x.example"),  # Kelvin sign
    ("\u017fam@x.example", "sam@x.example"),  # long s
    ("\u0130lke@x.example", "ilke@x.example"),
    ("\u0131lke@x.example", "ilke@x.example"),  # dotless i
    ("\u03c3\u03bf\u03c6\u03cc\u03c2@x.example", "\u03c3\u03bf\u03c6\u03cc\u03c3@x.example"),
    ("\u0149ame@x.example", "\u02bcname@x.example"),
    ("\u01f0an@x.example", "jan@x.example"),
    ("jos\u00e9@x.example", "jose@x.example"),
    ("\uff41lice@x.example", "alice@x.example"),  # wide letters are not mapped in a local part
    ("\u0430lice@x.example", "alice@x.example"),  # Cyrillic a
    ("a.b@x.example", "ab@x.example"),  # what one provider ignores another does not
    ("a+b@x.example", "a@x.example"),
    ("x.@example.com", "x@example.com"),
    ("x@fa\u00df.example", "x@fass.example"),
    ("x@b\u00fccher.example", "x@bucher.example"),
    ("x@b\u00fccher.example", "x@buecher.example"),
    ("x@\u03bf\u03c2.example", "x@\u03bf\u03c3.example"),
    ("x@xn--.example", "x@.example"),
    ("x@sub.example.com", "x@example.com"),
    ("alice", "alice@"),
    ("a;b@x.example", "a\u037eb@x.example"),  # the Greek question mark is canonically ASCII
)
ODD = "\u0130\u0131\u017f\u212a\u212b\u00df\u1e9e\ufb03\ufb06\u03c2\u03a3\u0345\u0390\u1fb3\u0149"
LETTERS = st.text(
    st.one_of(st.sampled_from(f"aAkKsSiIxn-.\u0301\u0308\u3002{ODD}"), st.characters()),
    max_size=12,
)
ADDRESSES = st.builds("{}@{}".format, LETTERS, LETTERS)


@pytest.mark.parametrize(("one", "other"), SAME)
def test_two_spellings_of_one_mailbox_are_one(one: str, other: str) -> None:
    """A telling is never missed for how somebody writes."""
    assert mailbox(one) == mailbox(other)


@pytest.mark.parametrize(("one", "other"), APART)
def test_two_mailboxes_are_two(one: str, other: str) -> None:
    """Nobody is told of a stranger, however alike their addresses look or fold."""
    assert mailbox(one) != mailbox(other)


@given(st.one_of(ADDRESSES, st.text(), st.text(st.characters(categories=None))))
@example("x@a..")
@example("\ud800@\ud800")
@example("x@xn--" + "9" * 60)
def test_every_text_has_one_form_and_keeps_it(text: str) -> None:
    """The form of a form is itself, for any text at all, half a surrogate included."""
    assert mailbox(mailbox(text)) == mailbox(text)


@given(LETTERS)
def test_a_letter_that_is_not_ascii_never_becomes_ascii(text: str) -> None:
    """Composing may join two letters to one that is not; no stranger's letter becomes a Latin."""
    local = text.replace("@", "")
    left = mailbox(f"{local}@x.example").rpartition("@")[0]
    there = [one for one in local.lower() if one.isascii()]
    assert sum(one.isascii() for one in left) <= len(there)
    foreign = "".join(one for one in local if not one.isascii())
    assert not any(one.isascii() for one in mailbox(f"{foreign}@x.example").rpartition("@")[0])


@given(st.from_regex(r"[!-?A-~]{1,20}@[!-?A-~]{1,20}", fullmatch=True))
def test_ascii_is_lowered_and_no_more(address: str) -> None:
    """The short way and the long way agree."""
    assert mailbox(address) == mailbox(address.upper()) == mailbox(address.lower())


@given(ADDRESSES)
def test_what_people_read_is_the_same_mailbox(address: str) -> None:
    """Letters instead of A-labels are one more spelling, also when platforms are told by it."""
    box = mailbox(address)
    assert mailbox(readable(box)) == box


def test_a_mailbox_is_shown_in_letters() -> None:
    """Not as A-labels, unless the letters would not lead back to them."""
    assert readable(mailbox("x@B\u00dcCHER.example.")) == "x@b\u00fccher.example"
    assert readable("x@xn--zzzzzzzz99999999.example") == "x@xn--zzzzzzzz99999999.example"
    assert readable("alice@example.com") == "alice@example.com"


COMMON = st.sampled_from(
    "abcksxyz019-\u00e9\u00fc\u00df\u1e9e\u017f\u212a\ufb03\u03c3\u03c2\u03a3\u00c9\u0416"
)
NAMES = st.text(COMMON, min_size=1, max_size=8)


@given(
    local=NAMES,
    label=NAMES,
    form=st.sampled_from(["NFC", "NFD"]),
    end=st.sampled_from(["", "."]),
    letters=st.booleans(),
)
def test_whatever_an_older_version_kept_is_found(
    local: str, label: str, form: str, end: str, *, letters: bool
) -> None:
    """Under the hash of it before, and as a mailbox that it may be of after it was looked at."""
    box = mailbox(f"{local}@{label}.example")
    written = readable(box) if letters else box
    name, _, domain = written.rpartition("@")
    written = f"{normalize('NFC', local)}@{domain}" if form == "NFC" else f"{name}@{domain}"
    kept = f"{written}{'' if box.isascii() else end}".casefold()
    assert kept in old_spellings(written) | old_spellings(box) | old_spellings(kept)
    assert mailbox(kept) in {box} | folds(box)


@given(ADDRESSES)
def test_only_a_mailbox_that_loses_letters_folds_to_another(address: str) -> None:
    """So plain addresses cost one hash; and what is asked for is always bounded."""
    box = mailbox(address)
    assert len(folds(box)) <= 3
    assert len(old_spellings(address)) <= 13
    if address.isascii() and "xn--" not in address.lower() and not address.endswith("."):
        assert (folds(box), old_spellings(address)) == (frozenset(), frozenset({box}))
