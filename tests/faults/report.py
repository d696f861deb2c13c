"""The report at the end of a run: each fault by name, what proved it, and the verdict."""

import pytest
from tests.faults.proof import Finding


class Report:
    """A plug-in for the length of a run: takes findings, prints them when all is done."""

    def __init__(self) -> None:
        self._findings: list[Finding] = []

    def note(self, finding: Finding) -> None:
        """Keep a finding."""
        self._findings.append(finding)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print the table."""
        terminalreporter.section("faults")
        for one in self._findings:
            sign = "holds " if one.holds else "BROKEN"
            terminalreporter.write_line(f"{sign} [{one.row.kind}] {one.row.name}")
            terminalreporter.write_line(f"       evidence: {one.evidence}")
            allowed = f"duplicates allowed: {one.row.duplicates}"
            terminalreporter.write_line(f"       {one.requests} requests: {one.verdict}; {allowed}")
