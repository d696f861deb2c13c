"""Look-ups: shared, cancelable, soon forgotten, and none waits for another. On loopback only."""

import asyncio
import os
import resource
import socket
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import pytest
import uvloop
from tests.harness.servers.name_server import PROMPT_S, NameServer, Odd

from disconnect_fanout.adapters.http.name_query import NoAddress
from disconnect_fanout.adapters.http.resolver import (
    LONGEST_LOOKUP_S,
    LONGEST_MEMORY_S,
    NameResolver,
)

ANY = socket.AF_UNSPEC
A_AND_AAAA = 2


class Clock:
    """A clock that a test sets."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
async def names() -> AsyncIterator[NameServer]:
    """A name server with a platform, one that moves, and one that is never told."""
    async with NameServer(
        {"luma.test": ["127.0.0.1", "::1"], "moves.test": ["127.0.0.1"], "silent.test": Odd.SILENT}
    ) as server:
        yield server


@pytest.fixture
def clock() -> Clock:
    """The resolver's clock."""
    return Clock()


@pytest.fixture
async def resolver(names: NameServer, clock: Clock) -> AsyncIterator[NameResolver]:
    """A resolver that asks only this one."""
    resolver = NameResolver([names.address], clock)
    yield resolver
    await resolver.close()


async def found(resolver: NameResolver, host: str, family: socket.AddressFamily = ANY) -> set[str]:
    """The addresses of a host."""
    return {one["host"] for one in await resolver.resolve(host, 443, family)}


def on_uvloop(main: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run it as ``fanout run`` does."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())


# ── what is found ────────────────────────────────────────────────────────────────────────────


async def test_both_kinds_of_addresses_are_found(resolver: NameResolver) -> None:
    """Or the kind that was asked for; with the port, and as numbers."""
    assert await found(resolver, "luma.test") == {"127.0.0.1", "::1"}
    assert await found(resolver, "LUMA.test", socket.AF_INET) == {"127.0.0.1"}
    assert await found(resolver, "luma.test", socket.AF_INET6) == {"::1"}
    one, *_ = await resolver.resolve("luma.test", 8443, socket.AF_INET)
    assert (one["hostname"], one["port"], one["family"]) == ("luma.test", 8443, socket.AF_INET)


def hosts_of_this_machine() -> set[str]:
    """The names of the hosts file."""
    lines = [one.partition("#")[0].split() for one in Path("/etc/hosts").read_text().splitlines()]
    return {name for _, *hosts in filter(None, lines) for name in hosts}


async def test_the_hosts_file_comes_first(resolver: NameResolver, names: NameServer) -> None:
    """Each name of this machine's file leads where the system's resolver says; nobody is asked."""
    for host in hosts_of_this_machine():
        system = {str(one[4][0]) for one in socket.getaddrinfo(host, 443)}
        assert system <= await found(resolver, host)
    assert not names.questions


@pytest.mark.parametrize("host", ["localhost", "LocalHost", "luma.localhost", "localhost."])
async def test_localhost_is_this_machine(
    resolver: NameResolver, names: NameServer, host: str
) -> None:
    """And every name below it (RFC 6761), whatever a name server would say."""
    assert await found(resolver, host) <= {"127.0.0.1", "::1"}
    assert not names.questions


async def test_nobody_is_asked_about_invalid_names(
    resolver: NameResolver, names: NameServer
) -> None:
    """They exist so that they never resolve (RFC 6761)."""
    for host in ("nothing.invalid", "a.b.INVALID."):
        with pytest.raises(NoAddress, match="does not resolve"):
            await resolver.resolve(host)
    assert not names.questions


async def test_search_domains_are_tried(
    resolver: NameResolver, names: NameServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A short name is one of this network, as for every other program here."""
    monkeypatch.setenv("LOCALDOMAIN", "corp.test")
    names.names["luma.corp.test"] = ["127.0.0.7"]
    assert await found(resolver, "luma") == {"127.0.0.7"}


async def test_a_long_answer_is_fetched_over_tcp(resolver: NameResolver, names: NameServer) -> None:
    """When it does not fit into a datagram."""
    names.names["luma.test"] = Odd.TOO_LONG
    assert await found(resolver, "luma.test", socket.AF_INET) == {"127.0.0.1"}


def test_and_on_uvloop() -> None:
    """The loop that production runs on watches the same sockets."""

    async def main() -> None:
        async with NameServer({"luma.test": ["127.0.0.1"], "long.test": Odd.TOO_LONG}) as names:
            resolver = NameResolver([names.address])
            assert await found(resolver, "luma.test") == {"127.0.0.1"}
            assert await found(resolver, "long.test", socket.AF_INET) == {"127.0.0.1"}
            with pytest.raises(NoAddress, match="does not resolve"):
                await resolver.resolve("nothing.test")

    on_uvloop(main)


@pytest.mark.parametrize("host", ["a..b", "x" * 64 + ".test", "-", "é" * 64 + ".test"])
async def test_a_name_that_is_none_does_not_resolve(resolver: NameResolver, host: str) -> None:
    """Whatever is written, it is a failure and no bug."""
    with pytest.raises(NoAddress, match="does not resolve"):
        await resolver.resolve(host)


# ── what is remembered ───────────────────────────────────────────────────────────────────────


async def test_a_busy_platform_does_not_ask_each_time(
    resolver: NameResolver, names: NameServer
) -> None:
    """An answer is remembered."""
    for _ in range(5):
        await resolver.resolve("luma.test", 443, ANY)
    assert names.questions["luma.test"] == A_AND_AAAA


@pytest.mark.parametrize(("ttl", "remembered_s"), [(3600, LONGEST_MEMORY_S), (5, 5), (0, 1)])
async def test_a_move_is_noticed(
    resolver: NameResolver, names: NameServer, clock: Clock, ttl: int, remembered_s: float
) -> None:
    """After the lifetime of the answer, and half a minute at most, whatever it says."""
    names.ttl = ttl
    assert await found(resolver, "moves.test") == {"127.0.0.1"}
    names.names["moves.test"] = ["127.0.0.2"]
    clock.now += remembered_s - 0.1
    assert await found(resolver, "moves.test") == {"127.0.0.1"}
    clock.now += 0.2
    assert await found(resolver, "moves.test") == {"127.0.0.2"}


async def test_that_there_is_no_address_is_not_remembered(
    resolver: NameResolver, names: NameServer
) -> None:
    """A name that comes up is found at the next attempt."""
    with pytest.raises(NoAddress):
        await resolver.resolve("new.test")
    names.names["new.test"] = ["127.0.0.1"]
    assert await found(resolver, "new.test") == {"127.0.0.1"}


# ── what is shared, and what is not ──────────────────────────────────────────────────────────


async def test_one_question_for_all_who_ask(resolver: NameResolver, names: NameServer) -> None:
    """However many requests a platform has under way."""
    answers = await asyncio.gather(*(found(resolver, "luma.test") for _ in range(200)))
    assert answers == [{"127.0.0.1", "::1"}] * 200
    assert names.questions["luma.test"] == A_AND_AAAA


async def test_who_leaves_takes_nobody_along(resolver: NameResolver, names: NameServer) -> None:
    """A request that was cancelled does not cancel the question of the others."""
    names.names["slow.test"] = Odd.SILENT
    leaving, staying = (asyncio.create_task(found(resolver, "slow.test")) for _ in range(2))
    await names.asked(1)
    leaving.cancel()
    names.names["slow.test"] = ["127.0.0.1"]  # answered when it is asked again, a second later
    assert await staying == {"127.0.0.1"}
    assert leaving.cancelled()


def open_files() -> int:
    """How many file descriptors this process has."""
    return len(os.listdir("/proc/self/fd" if Path("/proc").exists() else "/dev/fd"))  # noqa: PTH208


async def test_a_question_ends_with_the_last_who_asked(
    resolver: NameResolver, names: NameServer
) -> None:
    """Its sockets are closed, it is asked no more, and it can be asked anew."""
    before = open_files()
    asking = [asyncio.create_task(found(resolver, "silent.test")) for _ in range(20)]
    await names.asked(1)
    for one in asking:
        one.cancel()
    await asyncio.gather(*asking, return_exceptions=True)
    deadline = time.monotonic() + 5
    while open_files() > before:  # c-ares closes them on a thread of its own
        assert time.monotonic() < deadline
        await asyncio.sleep(0)
    names.names["silent.test"] = ["127.0.0.1"]
    assert await found(resolver, "silent.test") == {"127.0.0.1"}


async def test_closing_takes_back_what_is_asked(names: NameServer) -> None:
    """Nothing is left under way."""
    resolver = NameResolver([names.address])
    asking = asyncio.create_task(found(resolver, "silent.test"))
    await names.asked(1)
    await resolver.close()
    await asyncio.gather(asking, return_exceptions=True)
    assert asking.cancelled()


async def test_a_silent_server_is_given_up(resolver: NameResolver) -> None:
    """Within the longest look-up, also where the request would wait for longer."""
    began = time.monotonic()
    with pytest.raises(NoAddress, match="its name server did not answer"):
        await resolver.resolve("silent.test")
    assert time.monotonic() - began < LONGEST_LOOKUP_S + 1


async def test_ipv4_does_not_wait_for_ipv6_for_long(
    resolver: NameResolver, names: NameServer
) -> None:
    """Where questions for IPv6 are swallowed, a platform with IPv4 is found after a second."""
    names.names["luma.test"] = Odd.SILENT_ON_IPV6
    began = time.monotonic()
    assert await found(resolver, "luma.test") == {"127.0.0.1"}
    assert time.monotonic() - began < 3


async def test_the_second_server_answers_for_a_dead_one(names: NameServer) -> None:
    """After a second; and silent names make nobody avoid the server that answers."""
    async with NameServer({"luma.test": Odd.SILENT}) as dead:
        backed_up = NameResolver([dead.address, names.address])
        assert await found(backed_up, "luma.test") == {"127.0.0.1", "::1"}
        resolver = NameResolver([names.address, dead.address])
        silent = {f"silent{number}.test": Odd.SILENT for number in range(45)}
        for one in (names, dead):
            one.names.update(silent)
        hanging = [asyncio.create_task(resolver.resolve(host)) for host in silent]
        await dead.asked(45)  # each has timed out at the first server by now
        for number in range(20):
            names.names[f"luma{number}.test"] = ["127.0.0.1"]
            began = time.monotonic()
            await resolver.resolve(f"luma{number}.test")
            assert time.monotonic() - began < PROMPT_S
        for task in hanging:
            task.cancel()
        await asyncio.gather(*hanging, return_exceptions=True)


def open_all(held: ExitStack) -> None:
    """Open files until there is no descriptor left."""
    with suppress(OSError):
        while True:
            held.enter_context(Path(os.devnull).open())  # noqa: SIM115 - it is one


async def test_what_we_lack_ourselves_is_no_fault_of_a_name(resolver: NameResolver) -> None:
    """Without a file descriptor left it says so, in the system's number, and blames nobody."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with ExitStack() as held:
        held.callback(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(soft, 256), hard))
        open_all(held)
        with pytest.raises(OSError, match="Too many open files") as lacking:
            await resolver.resolve("luma.test")
    assert not isinstance(lacking.value, NoAddress)
    assert await found(resolver, "luma.test") == {"127.0.0.1", "::1"}
