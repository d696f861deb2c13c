"""An operator at a shell: ``fanout`` commands run in this process, a hundred times faster."""

import asyncio
import io
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
from tests.harness.store.sql_world import SqlWorld
from tests.harness.worker.command import CommandResult

from disconnect_fanout.adapters.crypto.vault import Vault
from disconnect_fanout.adapters.store.database import Database
from disconnect_fanout.adapters.store.seals.event_seals import load_seals
from disconnect_fanout.cli.main import main


class Operator:
    """Runs commands in a folder of their own, with nothing but their own ``FANOUT_*`` variables.

    Args:
        folder: The working directory.
        patch: Undoes what is changed about this process.
        captured: Reads what is printed.
        settings: ``FANOUT_*`` variables; change them between two commands.
    """

    def __init__(
        self,
        folder: Path,
        patch: pytest.MonkeyPatch,
        captured: pytest.CaptureFixture[str],
        **settings: str,
    ) -> None:
        self.folder = folder
        self.settings = settings
        self._patch = patch
        self._captured = captured

    def fanout(self, *args: str, stdin: str = "") -> CommandResult:
        """Run one command; its standard input is no terminal."""
        with self._patch.context() as patch:
            patch.chdir(self.folder)
            patch.setattr("sys.stdin", io.StringIO(stdin))
            patch.setattr("os.environ", {"PATH": "/usr/bin:/bin", **self.settings})
            self._captured.readouterr()
            code = main(args)
        printed = self._captured.readouterr()
        return CommandResult(code, printed.out, printed.err)

    def ask(self, *args: str) -> Any:
        """Run a command that must succeed; return what it printed as JSON."""
        return self.fanout(*args, "-o", "json").json()

    def refused(self, *args: str, code: int, stdin: str = "") -> str:
        """Run a command that must fail so; return what it said."""
        result = self.fanout(*args, stdin=stdin)
        assert result.exit_code == code, result
        assert result.stdout == ""
        assert "Traceback" not in result.stderr
        return result.stderr

    def arrange(self, work: Callable[[SqlWorld], Coroutine[Any, Any, object]]) -> None:
        """Run a coroutine on this operator's database: the past that a test needs."""
        asyncio.run(self.arranged(work))

    async def arranged(self, work: Callable[[SqlWorld], Coroutine[Any, Any, object]]) -> None:
        """The same, where a loop is running already."""
        url = self.settings["FANOUT_DATABASE_URL"]
        vault = Vault([self.settings["FANOUT_SECRET_KEY"]])
        database = Database(url)
        try:
            world = SqlWorld(url, vault, await load_seals(database, vault))
            try:
                await work(world)
            finally:
                await world.close()
        finally:
            await database.close()
