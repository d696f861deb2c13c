"""``fanout platforms``: registered once, shown without secrets, switched, rotated, removed."""

from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from tests.harness.servers.certificates import Authority
from tests.harness.store.sql_world import SqlWorld
from tests.harness.worker.operator import Operator

from disconnect_fanout.adapters.store.schema.tables import platforms
from disconnect_fanout.domain.platform import Platform

LUMA = ("plat_luma", "--name", "Luma", "--url", "https://luma.example/hook")
GIVEN = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def add(operator: Operator, *options: str) -> Any:
    return operator.ask("platforms", "add", *LUMA, *options)


def show(operator: Operator) -> Any:
    return operator.ask("platforms", "show", "plat_luma")


def as_worker_sees(operator: Operator) -> Platform:
    """The platform with the keys that sign."""
    found: list[Platform] = []

    async def look(world: SqlWorld) -> None:
        found.extend(await world.worker.platforms.platforms())

    operator.arrange(look)
    return found[0]


def test_a_platform_is_registered_and_its_secret_is_shown_once(any_operator: Operator) -> None:
    """`add` prints id and secret; neither `show` nor `list` ever prints it again."""
    added = add(any_operator)
    assert set(added) == {"id", "secret"}
    assert added["secret"].startswith("whsec_")
    for output in ("table", "json", "jsonl"):
        for command in (("list",), ("show", "plat_luma")):
            result = any_operator.fanout("platforms", *command, "-o", output)
            assert "plat_luma" in result.stdout
            assert added["secret"] not in result.stdout + result.stderr


def test_secrets_are_sealed_at_rest(any_operator: Operator) -> None:
    """What is stored does not hold the secret."""
    secret = add(any_operator)["secret"]

    async def look(world: SqlWorld) -> None:
        async with world.database.read() as connection:
            row = (await connection.execute(select(platforms))).one()
        assert secret.encode() not in row.secret
        assert world.vault.open(row.secret).decode() == secret

    any_operator.arrange(look)


def test_options_are_kept(any_operator: Operator) -> None:
    """Time-out, cap and rate are shown as they were given, in seconds and per second."""
    add(any_operator, "--timeout", "10s", "--max-in-flight", "4", "--rate", "30/m")
    found = show(any_operator)
    assert (found["timeout_s"], found["max_in_flight"], found["rate_per_s"]) == (10.0, 4, 0.5)
    assert (found["state"], found["enabled"], found["scheme"]) == ("active", True, "standard")


def test_an_ed25519_platform_gets_a_public_key_only(operator: Operator) -> None:
    """The private key never leaves."""
    added = add(operator, "--scheme", "standard-ed25519")
    assert set(added) == {"id", "public_key"}
    assert added["public_key"].startswith("whpk_")


def test_a_secret_is_read_from_standard_input_or_a_file(operator: Operator) -> None:
    """Never from an argument, which `ps` would show."""
    piped = operator.fanout("platforms", "add", *LUMA, "--secret-file", "-", stdin=f"{GIVEN}\n")
    assert GIVEN in piped.stdout
    (operator.folder / "secret").write_text(GIVEN)
    other = ("plat_2", "--name", "Two", "--url", "https://two.example/", "--secret-file", "secret")
    assert operator.ask("platforms", "add", *other) == {"id": "plat_2", "secret": GIVEN}


@pytest.mark.parametrize("scheme", ["standard", "cal"])
def test_an_editor_s_mark_is_no_part_of_a_secret(operator: Operator, scheme: str) -> None:
    """Nor is its line end: to `cal` any text is a key, and nobody would verify with that one."""
    (operator.folder / "secret").write_bytes(f"\ufeff{GIVEN}\r\n".encode())
    options = ("--secret-file", "secret", "--scheme", scheme)
    assert operator.ask("platforms", "add", *LUMA, *options)["secret"] == GIVEN


WRONG = {
    "a slash in the id": ("plat/luma", *LUMA[1:]),
    "an id that begins with a dot": (".luma", *LUMA[1:]),
    "an id that is too long": ("p" * 65, *LUMA[1:]),
    "the metrics' word for strangers": ("unknown", *LUMA[1:]),
    "a name with a control character": ("p", "--name", "a\tb", *LUMA[3:]),
    "an empty name": ("p", "--name", " ", *LUMA[3:]),
    "plain http": ("p", "--name", "P", "--url", "http://luma.example/"),
    "a number for a host": ("p", "--name", "P", "--url", "https://2130706433/"),
    "a password": ("p", "--name", "P", "--url", "https://u:p@luma.example/"),
    "another scheme": ("p", "--name", "P", "--url", "file:///etc/passwd"),
    "a longer time-out than the worker's": (*LUMA, "--timeout", "31s"),
    "no time-out": (*LUMA, "--timeout", "0s"),
    "a bare number": (*LUMA, "--timeout", "10"),
    "a rate without a unit": (*LUMA, "--rate", "50"),
    "no cap": (*LUMA, "--max-in-flight", "0"),
    "an unknown signature scheme": (*LUMA, "--scheme", "sha1"),
    "a secret file that is not there": (*LUMA, "--secret-file", "nothing"),
    "a secret file without an end": (*LUMA, "--secret-file", "/dev/zero"),
    "an authority without an end": (*LUMA, "--ca-file", "/dev/zero"),
}


@pytest.mark.parametrize("args", WRONG.values(), ids=WRONG.keys())
def test_what_may_not_be_registered_is_exit_2(operator: Operator, args: tuple[str, ...]) -> None:
    """Nothing is stored, and the reason is given."""
    assert operator.refused("platforms", "add", *args, code=2)
    assert operator.ask("platforms", "list") == []


@pytest.mark.parametrize("secret", ["", "whsec_c2hvcnQ=", "plain words", f"{GIVEN}\n{GIVEN}"])
def test_a_secret_of_the_wrong_form_is_refused_unseen(operator: Operator, secret: str) -> None:
    """Exit 2, in words that do not repeat it."""
    args = ("platforms", "add", *LUMA, "--secret-file", "-")
    said = operator.refused(*args, code=2, stdin=secret)
    assert not secret or secret not in said


def test_an_id_that_is_taken_is_refused(any_operator: Operator) -> None:
    """The first registration stands."""
    add(any_operator)
    said = any_operator.refused("platforms", "add", *LUMA[:4], "https://x.example/", code=2)
    assert "plat_luma is already registered" in said
    assert show(any_operator)["url"] == "https://luma.example/hook"


def test_disable_enable_pause_and_resume(any_operator: Operator) -> None:
    """Each switch shows in the state, says when, and can be switched back."""
    add(any_operator)

    def after(verb: str) -> Any:
        return any_operator.ask("platforms", verb, "plat_luma")

    disabled = after("disable")
    assert (disabled["state"], disabled["enabled"]) == ("disabled", False)
    assert disabled["disabled_reason"] == "operator"
    assert disabled["disabled_at"].endswith("Z")
    enabled = after("enable")
    assert (enabled["state"], enabled["disabled_at"]) == ("active", None)
    paused = after("pause")
    assert paused["state"] == "paused"
    assert after("pause")["paused_at"] == paused["paused_at"], "held since the first pause"
    assert after("resume")["state"] == "active"


def test_during_a_rotation_both_secrets_sign(any_operator: Operator) -> None:
    """The old one first; the revision grows, so that a late 410 does not disable the platform."""
    first = add(any_operator)["secret"]
    old = as_worker_sees(any_operator)
    second = any_operator.ask("platforms", "rotate-secret", "plat_luma", "--overlap", "2h")
    assert second["secret"] != first
    during = as_worker_sees(any_operator)
    assert during.revision == old.revision + 1
    signatures = [b64encode(key.sign(b"x")) for key in during.keys]
    assert len(set(signatures)) == 2
    assert signatures[0] == b64encode(old.keys[0].sign(b"x"))
    assert show(any_operator)["old_secret_until"] is not None


def test_after_a_leak_the_old_secret_signs_nothing(any_operator: Operator) -> None:
    """`--now` leaves one key, the new one."""
    add(any_operator)
    old = as_worker_sees(any_operator)
    any_operator.ask("platforms", "rotate-secret", "plat_luma", "--now")
    (key,) = as_worker_sees(any_operator).keys
    assert key.sign(b"x") != old.keys[0].sign(b"x")


def test_a_new_url_is_a_new_revision_and_a_new_name_is_not(any_operator: Operator) -> None:
    """What is not given stays."""
    add(any_operator, "--rate", "5/s")
    before = any_operator.ask("platforms", "show", "plat_luma")["revision"]
    named = any_operator.ask("platforms", "update", "plat_luma", "--name", "Luma Inc.")
    assert (named["name"], named["rate_per_s"]) == ("Luma Inc.", 5.0)
    assert named["revision"] == before
    moved = any_operator.ask("platforms", "update", "plat_luma", "--url", "https://new.example/")
    assert (moved["url"], moved["revision"]) == ("https://new.example/", before + 1)
    assert "is not https" in any_operator.refused(
        "platforms", "update", "plat_luma", "--url", "http://new.example/", code=2
    )


def test_removing_a_platform_keeps_its_links(any_operator: Operator) -> None:
    """The row and its secret are gone; the history of links is not."""
    add(any_operator)
    link = ("--email", "alice@example.com", "--platform", "plat_luma")
    any_operator.ask("links", "add", *link)
    assert show(any_operator)["links"] == 1
    any_operator.ask("platforms", "remove", "plat_luma")
    assert any_operator.ask("platforms", "list") == []
    links = any_operator.ask("links", "list", "--email", "alice@example.com")
    assert [one["platform_id"] for one in links] == ["plat_luma"]
    any_operator.ask("links", "end", *link)


def test_a_ping_to_a_forbidden_address_is_blocked(operator: Operator) -> None:
    """`platforms test` goes through the same guard as every webhook, and ends with exit 1."""
    operator.ask("platforms", "add", *LUMA[:4], "https://127.0.0.1:1/")
    result = operator.fanout("platforms", "test", "plat_luma", "-o", "json")
    assert result.exit_code == 1
    assert '"blocked"' in result.stdout


def test_a_platform_may_have_an_authority_of_its_own(
    any_operator: Operator, tmp_path: Path
) -> None:
    """`--ca-file` is read once, checked, and used by workers; the list says that there is one."""
    pem = Authority(tmp_path).file
    add(any_operator, "--ca-file", str(pem))
    assert as_worker_sees(any_operator).authority == pem.read_text()
    assert show(any_operator)["own_authority"] is True
    (tmp_path / "no.pem").write_text("nonsense")
    for wrong, words in (("no.pem", "holds no certificate in PEM"), ("gone.pem", "No such file")):
        path = str(tmp_path / wrong)
        said = any_operator.refused("platforms", "update", "plat_luma", "--ca-file", path, code=2)
        assert words in said
    assert as_worker_sees(any_operator).authority == pem.read_text()
