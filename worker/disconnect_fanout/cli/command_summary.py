"""What ``fanout --help`` says of a command, read from its source: importing all takes a second."""

import ast
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import typer


def add_summary(app: typer.Typer, name: str, module: str) -> None:
    """Add a command that has a name and a help, and does nothing.

    Args:
        app: the command line.
        name: of the command.
        module: where it is: a function of that name, or a group called ``app``.
    """
    spec = find_spec(module)
    assert spec is not None  # noqa: S101 - it was found by listing its folder
    for one in ast.parse(Path(str(spec.origin)).read_bytes()).body:
        if isinstance(one, ast.Assign) and ast.unparse(one.targets[0]) == "app":
            app.add_typer(typer.Typer(help=_help(one.value)), name=name)
        elif isinstance(one, ast.FunctionDef) and one.name == name:
            app.command(name)(_nothing(ast.get_docstring(one)))


def _help(call: ast.expr) -> str:
    assert isinstance(call, ast.Call)  # noqa: S101 - of typer.Typer
    (words,) = (one.value for one in call.keywords if one.arg == "help")
    return str(ast.literal_eval(words))


def _nothing(docstring: str | None) -> Callable[[], None]:
    def command() -> None: ...

    command.__doc__ = docstring
    return command
