"""A command was given what it can't use, and no single option is to blame."""

import typer


class UsageError(typer.TyperException):
    """What is wrong, and what is expected; the command ends with exit code 2."""

    exit_code = 2
