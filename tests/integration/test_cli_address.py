"""Addresses on the command line: what is new is judged as in an event, what is noted is found."""

import pytest
from tests.harness.store.sql_world import SqlWorld
from tests.harness.store.world import LONG_AGO
from tests.harness.worker.operator import Operator

from disconnect_fanout.adapters.store.links.book import LinkBook
from disconnect_fanout.domain.link import Link

PLATFORM = ("--platform", "plat_luma")
NO_ADDRESSES = ["<alice@example.com>", "alice@example.com,", "mailto:alice@example.com"]


@pytest.fixture
def operator(any_operator: Operator) -> Operator:
    """An operator with a platform."""
    url = "https://luma.example/"
    any_operator.ask("platforms", "add", "plat_luma", "--name", "luma", "--url", url)
    return any_operator


@pytest.mark.parametrize("email", NO_ADDRESSES)
def test_what_is_no_address_is_not_noted(operator: Operator, email: str) -> None:
    """Neither as a link nor as a credential nor by an import, and it is not repeated."""
    (operator.folder / "links.csv").write_text(f'email,platform_id\n"{email}",plat_luma\n')
    one = ("--id", "1", "--type", "google_calendar", "--user-id", "7", "--email", email)
    for command in (
        ("links", "add", *PLATFORM, "--email", email),
        ("links", "import", "links.csv"),
        ("credentials", "add", *one),
        ("publish", "--email", email),
    ):
        words = operator.refused(*command, code=2)
        assert "an e-mail address alone" in words.replace("\n", " ")
        assert "example.com>" not in words


@pytest.mark.parametrize("email", NO_ADDRESSES)
def test_what_was_noted_before_is_found_ended_and_forgotten(operator: Operator, email: str) -> None:
    """A link of an older rule, or of the owner's SQL: nobody is stuck in the database."""

    async def noted(world: SqlWorld) -> None:
        await LinkBook(world.database, world.seals).write([Link(email, "plat_luma", LONG_AGO)])

    operator.arrange(noted)
    (link,) = operator.ask("links", "list", "--email", email)
    assert link["unlinked_at"] is None
    (link,) = operator.ask("links", "end", *PLATFORM, "--email", email)
    assert link["unlinked_at"] is not None
    assert operator.ask("deliveries", "list", "--user", email) == []
    assert operator.ask("privacy", "forget", "--yes", "--email", email)["links"] == 1
    assert operator.ask("links", "list", "--email", email) == []


def test_a_word_without_an_at_is_a_slip(operator: Operator) -> None:
    """Looking for it would find nobody and say so, which would be no answer."""
    words = operator.refused("links", "list", "--email", "alice", code=2)
    assert "expected an e-mail address" in words
