"""The contract of ``flow.directory.PlatformSource``, and how the databases keep secrets."""

import pytest
from tests.harness.fakes.world import TIMEOUT_S
from tests.harness.store.sql_world import SqlWorld
from tests.harness.store.world import World

from disconnect_fanout.adapters.crypto.vault import Vault, new_key
from disconnect_fanout.adapters.crypto.webhook_secret import new_secret, signing_key
from disconnect_fanout.adapters.store.platforms.source import SqlPlatformSource
from disconnect_fanout.domain.platform import Platform, Scheme

CONTENT = b"id.1763740000.{}"


async def only(world: SqlWorld) -> Platform:
    """Return the one registered platform."""
    (platform,) = await world.worker.platforms.platforms()
    return platform


async def test_all_platforms_are_there(world: World) -> None:
    """Disabled ones too; a time-out can be shortened, never lengthened."""
    await world.add_platform("luma", timeout_s=10)
    await world.add_platform("cal", enabled=False, timeout_s=90)
    cal, luma = await world.worker.platforms.platforms()
    assert (cal.id, cal.enabled, cal.timeout_s) == ("cal", False, TIMEOUT_S)
    assert (luma.id, luma.enabled, luma.timeout_s) == ("luma", True, 10)
    assert luma.url == "https://luma.example.com/hook"
    assert (luma.revision, luma.paused, len(luma.keys)) == (1, False, 1)


@pytest.mark.parametrize("scheme", list(Scheme))
async def test_the_keys_sign_as_the_secrets_do(sql_world: SqlWorld, scheme: Scheme) -> None:
    """During a rotation both secrets sign, the oldest first."""
    old, new = new_secret(scheme), new_secret(scheme)
    await sql_world.insert_platform(
        "luma",
        scheme=scheme,
        secret=sql_world.vault.seal(new.encode()),
        old_secret=sql_world.vault.seal(old.encode()),
        old_secret_until=4_000_000_000_000,
    )
    platform = await only(sql_world)
    expected = [signing_key(scheme, secret) for secret in (old, new)]
    assert [key.sign(CONTENT) for key in platform.keys] == [key.sign(CONTENT) for key in expected]
    assert [key.sign_body(b"{}") for key in platform.keys] == [
        key.sign_body(b"{}") for key in expected
    ]


async def test_an_old_secret_signs_until_its_time_is_over(sql_world: SqlWorld) -> None:
    """By the database's clock."""
    seal = sql_world.vault.seal
    await sql_world.insert_platform(
        "luma", old_secret=seal(new_secret(Scheme.STANDARD).encode()), old_secret_until=1
    )
    assert len((await only(sql_world)).keys) == 1


@pytest.mark.parametrize("broken", ["secret", "old_secret"])
@pytest.mark.parametrize("content", [b"not sealed", None])
async def test_a_secret_that_does_not_open_gives_no_keys(
    sql_world: SqlWorld, broken: str, content: bytes | None
) -> None:
    """All keys or none, so that deliveries wait instead of failing at half of the receivers."""
    foreign = Vault([new_key()]).seal(new_secret(Scheme.STANDARD).encode())
    await sql_world.insert_platform("cal")
    await sql_world.insert_platform(
        "luma", old_secret_until=4_000_000_000_000, **{broken: content or foreign}
    )
    cal, luma = await sql_world.worker.platforms.platforms()
    assert (len(cal.keys), luma.keys) == (1, ())


async def test_a_secret_of_the_wrong_form_gives_no_keys(sql_world: SqlWorld) -> None:
    """What opens but can't sign keeps its platform waiting, and nobody else's."""
    await sql_world.insert_platform("luma", secret=sql_world.vault.seal(b"\xff\xfe"))
    assert (await only(sql_world)).keys == ()


async def test_keys_are_opened_once(sql_world: SqlWorld) -> None:
    """The snapshot is taken every second; what has not changed is taken from the last one."""
    await sql_world.insert_platform("luma")
    source = SqlPlatformSource(sql_world.database, sql_world.vault, TIMEOUT_S)
    first, second = [(await source.platforms())[0] for _ in range(2)]
    assert first.keys[0] is second.keys[0]


async def test_a_paused_platform_says_so(sql_world: SqlWorld) -> None:
    """With its caps."""
    await sql_world.insert_platform("luma", paused_at=1, max_in_flight=3, rate_per_s=0.5)
    platform = await only(sql_world)
    assert (platform.paused, platform.max_in_flight, platform.rate_per_s) == (True, 3, 0.5)
