"""The sender and the names of its platforms: where they lead, and what is said if they don't."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from ipaddress import ip_network
from pathlib import Path

import pytest
import uvloop
from tests.harness.servers.certificates import Authority
from tests.harness.servers.name_server import PROMPT_S, NameServer, Odd, Refusal, Says
from tests.harness.servers.raw_server import RawServer

from disconnect_fanout.adapters.http.resolver import NameResolver
from disconnect_fanout.adapters.http.sender import AiohttpSender
from disconnect_fanout.domain.outcome import Answer, Exchange, Failure, FailureKind
from disconnect_fanout.flow.webhook import WebhookRequest
from disconnect_fanout.policy.classify import held_a_slot

ONLY_IPV4 = ip_network("127.0.0.1/32")
ALSO_BLOCKED = "; another address of the host is not a public one"
LOOPS: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {
    "asyncio": asyncio.new_event_loop,
    "uvloop": uvloop.new_event_loop,
}


@pytest.fixture
async def names() -> AsyncIterator[NameServer]:
    """A name server of the test's own."""
    async with NameServer() as server:
        yield server


@pytest.fixture
async def sender(names: NameServer) -> AsyncIterator[AiohttpSender]:
    """A sender that asks it, and may reach 127.0.0.1 and no other address of this machine."""
    sender = AiohttpSender("test", [ONLY_IPV4], resolver=NameResolver([names.address]))
    yield sender
    await sender.close()


@pytest.fixture
async def closed_port() -> int:
    """A port on which nobody listens."""
    async with RawServer() as server:
        return server.port


def post(host: str, port: int, *, timeout_s: float = 20.0, scheme: str = "http") -> WebhookRequest:
    """A webhook for a host."""
    return WebhookRequest("plat_luma", f"{scheme}://{host}:{port}/hook", {}, b"{}", timeout_s)


def failed(outcome: Exchange) -> Failure:
    """The failure that it has to be."""
    assert isinstance(outcome, Failure), outcome
    return outcome


# ── several addresses ────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "addresses",
    [
        ["10.0.0.1", "169.254.169.254", "127.0.0.1"],
        ["127.0.0.1", "10.0.0.1"],
        ["::1", "127.0.0.1"],
        ["64:ff9b::a9fe:a9fe", "127.0.0.1"],
    ],
)
async def test_of_several_addresses_the_permitted_one_is_used(
    sender: AiohttpSender, names: NameServer, addresses: list[str]
) -> None:
    """A forbidden one beside it does no harm."""
    names.names["luma.test"] = addresses
    async with RawServer() as server:
        assert await sender.send(post("luma.test", server.port)) == Answer(200)


@pytest.mark.parametrize(
    "addresses",
    [["10.0.0.1", "192.168.1.1"], ["::1"], ["127.0.0.2", "::1"], ["64:ff9b::a9fe:a9fe", "::1"]],
)
async def test_a_name_for_forbidden_addresses_only_is_blocked(
    sender: AiohttpSender, names: NameServer, addresses: list[str]
) -> None:
    """Also if there are several, whose errors come flattened."""
    names.names["luma.test"] = addresses
    outcome = await sender.send(post("luma.test", 1))
    assert outcome == Failure(FailureKind.BLOCKED, "the host's address is not a public one")


@pytest.mark.parametrize(
    "addresses",
    [
        ["10.0.0.1", "127.0.0.1"],
        ["127.0.0.1", "10.0.0.1"],
        ["127.0.0.1", "::1"],
        ["169.254.169.254", "127.0.0.1", "192.168.0.1", "fd00::1"],
    ],
)
@pytest.mark.parametrize("loop", LOOPS)
def test_a_refused_address_beside_a_forbidden_one_is_told_as_both(
    addresses: list[str], loop: str, closed_port: int
) -> None:
    """A platform that is down beside a forbidden address is retried, and the words are true."""

    async def main() -> None:
        async with NameServer({"luma.test": addresses}) as names:
            sender = AiohttpSender("test", [ONLY_IPV4], resolver=NameResolver([names.address]))
            outcome = await sender.send(post("luma.test", closed_port))
            words = "Connection refused" + ALSO_BLOCKED
            assert outcome == Failure(FailureKind.UNREACHABLE, words)
            await sender.close()

    with asyncio.Runner(loop_factory=LOOPS[loop]) as runner:
        runner.run(main())


@pytest.mark.parametrize("addresses", [["127.0.0.1", "::1"], ["10.0.0.1", "127.0.0.1"]])
async def test_a_wrong_certificate_beside_a_forbidden_address_is_named(
    names: NameServer,
    addresses: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What the reachable address did wrong is not hidden by the other."""
    names.names["luma.test"] = addresses
    authority = Authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    sender = AiohttpSender("test", [ONLY_IPV4], resolver=NameResolver([names.address]))
    async with RawServer(tls=authority.self_signed("luma.test")) as server:
        outcome = await sender.send(post("luma.test", server.port, scheme="https"))
    assert outcome == Failure(FailureKind.TLS_FAILED, "TLS: self-signed certificate")
    await sender.close()


# ── no address ───────────────────────────────────────────────────────────────────────────────

NOWHERE: dict[str, tuple[Says, str]] = {
    "unknown": (Refusal.NXDOMAIN, "the host name does not resolve"),
    "no address": ([], "the host name does not resolve"),
    "failed": (Refusal.SERVFAIL, "its name server answered that it failed (SERVFAIL)"),
    "refused": (Refusal.REFUSED, "its name server refused to answer (REFUSED)"),
    "silent": (Odd.SILENT, "its name server did not answer within 0.3 s"),
}


@pytest.mark.parametrize(("says", "words"), NOWHERE.values(), ids=NOWHERE)
async def test_why_a_name_leads_nowhere_is_told_in_true_words(
    sender: AiohttpSender, names: NameServer, says: Says, words: str
) -> None:
    """An operator looks elsewhere for each; the breaker counts all as failures to connect."""
    names.names["luma.test"] = says
    outcome = await sender.send(post("luma.test", 80, timeout_s=0.3))
    assert outcome == Failure(FailureKind.UNREACHABLE, words)
    assert held_a_slot(outcome)


async def test_a_name_server_that_is_down_is_told_from_a_name_that_is_not(closed_port: int) -> None:
    """The platform is not to blame."""
    resolver = NameResolver([f"127.0.0.1:{closed_port}"])
    sender = AiohttpSender("test", [ONLY_IPV4], resolver=resolver)
    outcome = await sender.send(post("luma.test", 80))
    assert outcome == Failure(FailureKind.UNREACHABLE, "no name server can be reached")
    await sender.close()


async def test_a_slow_answer_is_not_blamed_on_the_name_server(
    sender: AiohttpSender, names: NameServer
) -> None:
    """Once the name is known the time is the platform's."""

    async def hang(_exchange: object) -> None:
        await done.wait()

    done = asyncio.Event()
    names.names["luma.test"] = ["127.0.0.1"]
    async with RawServer(hang) as server:
        outcome = await sender.send(post("luma.test", server.port, timeout_s=0.3))
        assert outcome == Failure(FailureKind.TIMED_OUT, "no complete answer within 0.3 s")
        done.set()


@pytest.mark.parametrize("host", ["0x7f.1", "127.1.", "017700000001.", "127.0.0.1.", "luma.0x0"])
async def test_a_number_in_disguise_is_no_name(
    sender: AiohttpSender, names: NameServer, host: str
) -> None:
    """The system's resolver takes these for addresses; nobody is asked, and it is blocked."""
    outcome = await sender.send(post(host, 80))
    assert outcome == Failure(FailureKind.BLOCKED, "the host is no valid host name")
    assert not names.questions


# ── nobody delays another ────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("count", [45, 200])
def test_silent_name_servers_delay_nobody_else(loop: str, count: int) -> None:
    """With so many look-ups that hang, a healthy platform is told before one is given up."""

    async def main() -> None:
        silent = {f"silent{number}.test": Odd.SILENT for number in range(count)}
        async with NameServer({**silent, "luma.test": ["127.0.0.1"]}) as names, RawServer() as luma:
            sender = AiohttpSender("test", [ONLY_IPV4], resolver=NameResolver([names.address]))
            hanging = [asyncio.create_task(sender.send(post(host, 80))) for host in silent]
            await names.asked(count)
            began = time.monotonic()
            assert await sender.send(post("luma.test", luma.port)) == Answer(200)
            assert time.monotonic() - began < PROMPT_S
            assert not any(one.done() for one in hanging)
            for one in hanging:
                one.cancel()
            await asyncio.gather(*hanging, return_exceptions=True)
            await sender.close()

    with asyncio.Runner(loop_factory=LOOPS[loop]) as runner:
        runner.run(main())
