"""Registering a platform, changing what was registered, rotating its secret."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Annotated

import typer

from disconnect_fanout.adapters.crypto.webhook_secret import new_secret, public_key, signing_key
from disconnect_fanout.adapters.store.platforms.registered import (
    PlatformChange,
    RegisteredPlatform,
    Registration,
)
from disconnect_fanout.adapters.store.platforms.registry import PlatformRegistry
from disconnect_fanout.adapters.store.seals.unreadable_row import UnreadableRow
from disconnect_fanout.cli.arguments.platform_options import (
    AuthorityOption,
    CapOption,
    IdArgument,
    NameOption,
    RateOption,
    TimeoutOption,
    UrlOption,
    check_endpoint,
    parse_id,
    parse_name,
    parse_span,
    read_authority,
)
from disconnect_fanout.cli.arguments.secret_file import SecretFileOption, read_secret
from disconnect_fanout.cli.runtime.audited import audited
from disconnect_fanout.cli.runtime.session import execute, opened
from disconnect_fanout.cli.screen.output import Output, OutputOption, say, show_one
from disconnect_fanout.cli.screen.standard_output import shown_once
from disconnect_fanout.cli.usage_error import UsageError
from disconnect_fanout.domain.platform import Scheme

_DAY_S = 86400.0


@dataclass(frozen=True, slots=True)
class SharedSecret:
    """What the platform needs to verify, printed this once."""

    id: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class PublicKey:
    """What the platform needs to verify; the private key never leaves."""

    id: str
    public_key: str


def add(
    *,
    platform_id: Annotated[str, typer.Argument(metavar="ID", parser=parse_id)],
    name: NameOption,
    url: UrlOption,
    scheme: Annotated[Scheme, typer.Option("--scheme")] = Scheme.STANDARD,
    secret_file: SecretFileOption = None,
    timeout: TimeoutOption = None,
    max_in_flight: CapOption = None,
    rate: RateOption = None,
    ca_file: AuthorityOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    r"""Register a platform. Prints its id and its secret (or public key), this once.

    \b
    Examples:
      fanout platforms add plat_luma --name Luma --url https://luma.example/hooks/calendar
      pass show luma | fanout platforms add plat_luma --name Luma --url https://… --secret-file -
    """
    secret, authority = _secret(scheme, secret_file), read_authority(ca_file)

    async def work() -> None:
        async with opened() as session:
            check_endpoint(url, timeout, session.settings)
            new = Registration(
                platform_id, name, url, scheme, secret, timeout, max_in_flight, rate, authority
            )
            async with audited(session):
                await PlatformRegistry(session.database, session.vault).add(new)

    execute(work())
    _show(platform_id, scheme, secret, output)
    say("this is shown once; workers tell this platform from now on")


def update(
    *,
    platform_id: IdArgument,
    name: Annotated[str | None, typer.Option(parser=parse_name, metavar="TEXT")] = None,
    url: Annotated[str | None, typer.Option(help="The endpoint that replaces the old one.")] = None,
    timeout: TimeoutOption = None,
    max_in_flight: CapOption = None,
    rate: RateOption = None,
    ca_file: AuthorityOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    r"""Change what was registered; what is not given stays.

    \b
    Example:
      fanout platforms update plat_luma --url https://luma.example/v2/hooks
    """
    change = PlatformChange(name, url, timeout, max_in_flight, rate, read_authority(ca_file))
    if change == PlatformChange():
        raise UsageError("nothing to change was given")

    async def work() -> RegisteredPlatform:
        async with opened() as session:
            check_endpoint(url, timeout, session.settings)
            registry = PlatformRegistry(session.database, session.vault)
            async with audited(session):
                await registry.change(platform_id, change)
            return await registry.get(platform_id)

    show_one(execute(work()), output)


def rotate_secret(
    *,
    platform_id: IdArgument,
    overlap: Annotated[
        float | None,
        typer.Option(
            parser=parse_span,
            metavar="SPAN",
            help="How long the old one signs too, by default 24h.",
        ),
    ] = None,
    now: Annotated[
        bool, typer.Option("--now", help="After a leak: the old secret signs nothing any more.")
    ] = False,
    secret_file: SecretFileOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    r"""Give a platform a new secret. Prints it (or the public key), this once.

    \b
    Examples:
      fanout platforms rotate-secret plat_luma --overlap 24h
      fanout platforms rotate-secret plat_luma --now
    """
    if now and overlap is not None:
        raise UsageError("give --overlap or --now, not both")
    held = timedelta(seconds=_DAY_S if overlap is None else overlap)

    async def work() -> tuple[Scheme, str]:
        async with opened() as session:
            registry = PlatformRegistry(session.database, session.vault)
            found = await registry.get(platform_id)
            scheme = _known_scheme(found)
            secret = _secret(scheme, secret_file)
            async with audited(session):
                await registry.rotate_secret(platform_id, secret, None if now else held)
            _warn(found)
            return scheme, secret

    scheme, secret = execute(work())
    _show(platform_id, scheme, secret, output)


def _known_scheme(platform: RegisteredPlatform) -> Scheme:
    try:
        return Scheme(platform.scheme)
    except ValueError:
        raise UnreadableRow(
            f"platform {platform.id}: this version knows no scheme {platform.scheme}"
        ) from None


def _warn(before: RegisteredPlatform) -> None:
    """Two secrets can sign at once, not three."""
    if before.old_secret_until is not None:
        say(
            "a rotation had been made before; the secret from before that one, "
            "if it still signed, signs nothing any more"
        )


def _secret(scheme: Scheme, source: str | None) -> str:
    """Return the given secret, checked, or a fresh one.

    Raises:
        BadSecret: the given one has not the scheme's form.
    """
    secret = new_secret(scheme) if source is None else read_secret(source)
    signing_key(scheme, secret)
    return secret


def _show(platform_id: str, scheme: Scheme, secret: str, output: Output) -> None:
    """Print what the platform needs."""
    if scheme is Scheme.STANDARD_ED25519:
        shown: SharedSecret | PublicKey = PublicKey(platform_id, public_key(secret))
    else:
        shown = SharedSecret(platform_id, secret)
    with shown_once(f"get a new one: fanout platforms rotate-secret {platform_id} --now"):
        show_one(shown, output)
