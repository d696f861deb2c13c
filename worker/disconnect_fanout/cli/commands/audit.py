"""``fanout audit``: who changed what."""

import typer

from disconnect_fanout.adapters.store.audit_trail import AuditEntry, AuditTrail
from disconnect_fanout.cli.arguments.filters import LimitOption, first
from disconnect_fanout.cli.arguments.timestamps import SinceOption, UntilOption
from disconnect_fanout.cli.runtime.session import execute, reading
from disconnect_fanout.cli.screen.output import Output, OutputOption, show_list

app = typer.Typer(no_args_is_help=True, help="The audit: who ran which changing command, and when.")


@app.callback()
def _audit() -> None:
    """Make ``list`` a verb: an app of one command would swallow its name."""


@app.command("list")
def list_(
    *,
    since: SinceOption = None,
    until: UntilOption = None,
    limit: LimitOption = 50,
    output: OutputOption = Output.TABLE,
) -> None:
    r"""List changing commands, the newest first: who, when, with which arguments, what they did.

    Addresses of users are left out: --user …. An entry without an outcome was killed, or still
    runs.

    \b
    Example:
      fanout audit list --since 7d
    """

    async def work() -> list[AuditEntry]:
        async with reading() as session:
            return await AuditTrail(session.database).all(since, until, limit + 1)

    show_list(first(limit, execute(work())), output)
