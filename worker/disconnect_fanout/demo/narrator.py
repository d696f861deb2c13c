"""Tells the story: one line for each thing that held, with a tick that a person can trust."""

from rich.console import Console
from rich.text import Text


class Narrator:
    """Prints; colours only on a terminal."""

    def __init__(self) -> None:
        self._console = Console(highlight=False, soft_wrap=True)

    def chapter(self, title: str) -> None:
        """Begin a part of the story."""
        self._console.print()
        self._console.print(Text(title, style="bold"))

    def tell(self, words: str) -> None:
        """Say what is going on."""
        self._console.print(Text(f"    {words}", style="dim"))

    def holds(self, words: str) -> None:
        """Say what was seen to hold."""
        self._console.print(Text.assemble(("  ✓ ", "bold green"), words))

    def fails(self, words: str) -> None:
        """Say what did not hold."""
        self._console.print(Text.assemble(("  ✗ ", "bold red"), words))
