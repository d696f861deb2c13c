"""Listening where the configuration says, or saying why that can't be."""

from aiohttp import web


class AddressTaken(Exception):
    """Nobody can listen there."""


async def listen(runner: web.BaseRunner, host: str, port: int, names: str) -> int:
    """Listen; return the port.

    Args:
        runner: of the server.
        host: an address of this machine.
        port: 0 takes a free one.
        names: of the settings that chose them, for the error.

    Raises:
        AddressTaken: by somebody else, or it is not an address of this machine.
    """
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
    except OSError as error:
        words = f"{names}: can't listen on {host}:{port} ({error.strerror})"
        raise AddressTaken(words) from None
    return int(runner.addresses[0][1])
