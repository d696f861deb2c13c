"""The table at the end of a run: each fault by name, what proved it, and the verdict.

A test hands its lines over as a property of its report, which finds its way from whichever process
ran it; ``tests/conftest.py`` lets pytest call this in the end.
"""

import pytest

PROPERTY = "fault"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print it, if there is anything to print."""
    ended = [
        one
        for outcome in ("passed", "failed")
        for one in terminalreporter.stats.get(outcome, [])
        if one.when == "call"
    ]
    lines = [line for one in ended for name, line in one.user_properties if name == PROPERTY]
    if lines:
        terminalreporter.section("faults")
        for line in lines:
            terminalreporter.write_line(line)
