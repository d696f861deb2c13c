"""An error in words, and never in none: a time-out and a reset often say nothing themselves."""

_SILENT: tuple[tuple[type[BaseException], str], ...] = (
    (TimeoutError, "no answer in time"),
    (ConnectionRefusedError, "the connection was refused"),
    (ConnectionError, "the connection ended"),
    (EOFError, "the connection ended"),
    (MemoryError, "no memory was left"),
    (KeyboardInterrupt, "interrupted"),
)
_CANCELLED = "CancelledError"  # asyncio's; this floor knows no loop
_NO_WORDS = frozenset({"None", "[Errno None] None", "()"})  # Python's for nothing


def error_words(error: BaseException) -> str:
    """Return the error's kind and first line: one line of at most 300 characters."""
    return f"{type(error).__name__}: {first_line(error)}"[:300]


def system_words(error: OSError) -> str:
    """Return the system's words alone, for a file that the sentence around them names."""
    return error.strerror or first_line(error)


def first_line(error: BaseException) -> str:
    """Return the first line that says something, or else what an error of this kind means."""
    if isinstance(error, OSError) and error.errno is not None and not error.strerror:
        return f"error {error.errno} of the system"
    for line in map(str.strip, str(error).splitlines()):
        if line and line not in _NO_WORDS:
            return line
    if type(error).__name__ == _CANCELLED:
        return "it was given up"
    found = (words for kind, words in _SILENT if isinstance(error, kind))
    return next(found, "no more was said")
