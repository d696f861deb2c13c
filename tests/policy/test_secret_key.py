"""Which keys lack, and what is said of it."""

from datetime import UTC, datetime

from disconnect_fanout.policy.secret_key import KeyInUse, lacking, words

AT = datetime(2026, 11, 28, 21, tzinfo=UTC)
OLD, NEW = KeyInUse("01" * 8, AT, AT), KeyInUse("02" * 8, AT, AT)


def test_what_is_in_use_and_not_held_lacks() -> None:
    """Whatever the order; a key that is held and not used lacks nobody."""
    assert lacking([OLD, NEW], ["02" * 8, "01" * 8]) == ()
    assert lacking([OLD], ["02" * 8, "01" * 8]) == ()
    assert lacking([OLD, NEW], ["01" * 8]) == (NEW,)
    assert lacking([OLD, NEW], []) == (OLD, NEW)


def test_the_words_name_the_key_and_the_safe_order() -> None:
    """Nobody has to guess which key it is, since when, and in which order to rotate."""
    said = words([NEW]) or ""
    for one in ("0202020202020202", "2026-11-28 21:00:00Z", "OLD,NEW", "NEW,OLD", "reseal"):
        assert one in said
    assert said.index("OLD,NEW") < said.index("NEW,OLD")
    assert words([]) is None
