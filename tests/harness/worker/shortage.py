"""A process that has run out of descriptors or threads, on purpose, for a while."""

import gc
import os
import resource
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_NO_MACHINE_HAS = 1 << 46


@contextmanager
def no_descriptors() -> Iterator[list[int]]:
    """Leave this process without one free descriptor; yield those that are held for nothing.

    Whoever closes one of these gives one back.
    """
    gc.collect()  # what nobody needs any more gives its descriptors back now, and not in between
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    highest = max(int(one.name) for one in Path("/proc/self/fd").iterdir())
    resource.setrlimit(resource.RLIMIT_NOFILE, (highest + 1, hard))
    held: list[int] = []
    try:
        with suppress(OSError):
            while True:
                held.append(os.dup(0))
        yield held
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        for one in held:
            os.close(one)


@contextmanager
def descriptors(soft: int, hard: int | None = None) -> Iterator[None]:
    """Let this process have so many; the hard limit is lowered only where it can be raised."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard or before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


@contextmanager
def no_threads() -> Iterator[None]:
    """Let no thread start in this process: each would want more memory for its stack than is."""
    before = threading.stack_size(_NO_MACHINE_HAS)
    try:
        yield
    finally:
        threading.stack_size(before)
