"""Figures as a table of Markdown: medians, and ratios to the others of the same run."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from statistics import median

from tests.bench.side_by_side.race import Figures

OURS = "fanout"
_HEAD = (
    "| | worker CPU, µs a delivery | SQLite: times it | PostgreSQL: times it | broker CPU | "
    "database CPU | deliveries/s | memory, MB |\n|---|---|---|---|---|---|---|---|\n"
)


def medians(runs: Sequence[Figures]) -> Figures:
    """Return the median of each figure."""
    return Figures(*(median(getattr(run, one.name) for run in runs) for one in fields(Figures)))


def table(found: Mapping[str, Sequence[Figures]]) -> str:
    """Return a line for each contestant, the cheapest first."""
    middle = {name: medians(runs) for name, runs in found.items()}
    ours = [middle.get(f"{OURS}, {one}") for one in ("SQLite", "PostgreSQL")]
    lines = sorted(middle.items(), key=lambda one: one[1].cpu_us)
    return _HEAD + "".join(_line(name, figures, ours) for name, figures in lines)


def _line(name: str, figures: Figures, ours: Sequence[Figures | None]) -> str:
    ratios = ["-" if one is None else f"{one.cpu_us / figures.cpu_us:.2f}" for one in ours]
    cells = [
        name,
        f"{figures.cpu_us:.0f}",
        *ratios,
        f"{figures.broker_us:.0f}",
        f"{figures.database_us:.0f}",
        f"{figures.per_s:.0f}",
        f"{figures.rss_mb:.0f}",
    ]
    return f"| {' | '.join(cells)} |\n"
