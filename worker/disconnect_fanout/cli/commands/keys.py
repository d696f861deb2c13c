"""``fanout keys``: who may disconnect over HTTP."""

from dataclasses import dataclass, field
from typing import Annotated

import typer

from disconnect_fanout.adapters.store.http_api.api_keys import ListedKey, SqlApiKeys
from disconnect_fanout.adapters.store.platforms.registry import PlatformRegistry
from disconnect_fanout.cli.runtime.audited import audited
from disconnect_fanout.cli.runtime.session import execute, opened, reading
from disconnect_fanout.cli.screen.output import Output, OutputOption, say, show_list, show_one
from disconnect_fanout.cli.screen.standard_output import shown_once
from disconnect_fanout.cli.usage_error import UsageError
from disconnect_fanout.domain.api_key import APPS_WRITE, KeyKind

app = typer.Typer(no_args_is_help=True, help="Keys and tokens for `fanout api`.")
_LARGEST_ID = 2**63 - 1
UserIdOption = Annotated[
    int | None, typer.Option("--user-id", min=0, max=_LARGEST_ID, help="The user that it is of.")
]


@dataclass(frozen=True, slots=True)
class NewKey:
    """What its owner needs, printed this once."""

    id: str
    key: str = field(repr=False)


@app.command()
def create(
    *,
    platform: Annotated[
        str | None, typer.Option("--platform", metavar="ID", help="A key of this platform.")
    ] = None,
    kind: Annotated[KeyKind | None, typer.Option("--kind", help="By default platform.")] = None,
    user_id: UserIdOption = None,
    scope: Annotated[
        list[str] | None, typer.Option("--scope", help=f"Of an oauth token: {APPS_WRITE}.")
    ] = None,
    output: OutputOption = Output.TABLE,
) -> None:
    r"""Make a key: of a platform, or of a user. Prints its id and itself, this once.

    \b
    Examples:
      fanout keys create --platform plat_boardy
      fanout keys create --kind oauth --user-id 7 --scope APPS_WRITE
    """
    chosen = _checked(platform, kind, user_id, scope or [])

    async def work() -> tuple[str, str]:
        async with opened() as session:
            if platform is not None:
                await PlatformRegistry(session.database, session.vault).get(platform)
            async with audited(session):
                return await SqlApiKeys(session.database).create(
                    chosen, platform_id=platform, user_id=user_id, scopes=scope or ()
                )

    made = NewKey(*execute(work()))
    with shown_once(f"withdraw it, and make another: fanout keys revoke {made.id}"):
        show_one(made, output)
    say("this is shown once")


@app.command("list")
def list_(output: OutputOption = Output.TABLE) -> None:
    r"""List the keys; none of them is ever shown again.

    \b
    Example:
      fanout keys list
    """

    async def work() -> list[ListedKey]:
        async with reading() as session:
            return await SqlApiKeys(session.database).all()

    show_list(execute(work()), output)


@app.command()
def revoke(
    key_id: Annotated[str, typer.Argument(metavar="ID", help="key_…")],
    output: OutputOption = Output.TABLE,
) -> None:
    r"""Let nobody in with a key any more, from the next request on.

    \b
    Example:
      fanout keys revoke key_5f2b8c0d1e3a4f67
    """

    async def work() -> ListedKey:
        async with opened() as session, audited(session):
            return await SqlApiKeys(session.database).revoke(key_id)

    show_one(execute(work()), output)


def _checked(
    platform: str | None, kind: KeyKind | None, user_id: int | None, scopes: list[str]
) -> KeyKind:
    """Return the kind, if the rest goes with it."""
    chosen = kind or KeyKind.PLATFORM
    of_platform = chosen is KeyKind.PLATFORM
    if of_platform and (platform is None or user_id is not None):
        raise UsageError(
            "a platform's key takes --platform ID; a user's takes --kind and --user-id N"
        )
    if not of_platform and (platform is not None or user_id is None):
        raise UsageError(f"--kind {chosen.value} takes --user-id N, and no --platform")
    if scopes and chosen is not KeyKind.OAUTH:
        raise UsageError("--scope goes with --kind oauth alone")
    if unknown := sorted(set(scopes) - {APPS_WRITE}):
        raise UsageError(f"--scope {unknown[0]!r} is unknown; expected {APPS_WRITE}")
    return chosen
