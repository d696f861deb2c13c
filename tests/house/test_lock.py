"""pyproject.toml, uv.lock and the requirements files agree; ``make lock`` makes them do so."""

import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
REQUIREMENT = re.compile(r"^([a-z0-9-]+)(?:\[[^]]*\])?==([^ ;]+)", re.MULTILINE)
PEERS = "tests/bench/peers/requirements.txt"
HASH = re.compile(r"sha256:[0-9a-f]{64}")


@cache
def _toml(name: str) -> dict[str, Any]:
    return tomllib.loads((ROOT / name).read_text("utf-8"))


def _pinned(name: str) -> set[tuple[str, str]]:
    return set(REQUIREMENT.findall((ROOT / name).read_text("utf-8")))


def _hashes(name: str) -> set[str]:
    return set(HASH.findall((ROOT / name).read_text("utf-8")))


def _locked() -> dict[tuple[str, str], dict[str, Any]]:
    """By name and version: a package may be locked twice, for different Pythons."""
    return {(p["name"], p["version"]): p for p in _toml("uv.lock")["package"]}


def _project() -> tuple[str, str]:
    project = _toml("pyproject.toml")["project"]
    return project["name"], project["version"]


def _wanted(requirement: str) -> tuple[str, frozenset[str]]:
    """``sqlalchemy[asyncio]>=2.1,<2.2; marker`` as its name and its version bounds."""
    name, bounds = re.fullmatch(r"([\w.-]+)(?:\[[^]]*\])?([^;]*)(?:;.*)?", requirement).groups()  # type: ignore[union-attr]
    return name, frozenset(bound.strip() for bound in bounds.split(",") if bound.strip())


def _recorded(entry: dict[str, str]) -> tuple[str, frozenset[str]]:
    return entry["name"], frozenset(filter(None, entry.get("specifier", "").split(",")))


def test_the_lock_was_made_from_this_pyproject() -> None:
    """A dependency that was added, dropped or bounded otherwise is in uv.lock as well."""
    asked, recorded = _toml("pyproject.toml"), _locked()[_project()]["metadata"]
    assert {_wanted(r) for r in asked["project"]["dependencies"]} == {
        _recorded(entry) for entry in recorded["requires-dist"]
    }
    for group in ("dev", "bench"):
        assert {_wanted(r) for r in asked["dependency-groups"][group]} == {
            _recorded(entry) for entry in recorded["requires-dev"][group]
        }


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt", PEERS])
def test_requirements_are_those_of_the_lock(name: str) -> None:
    """Each pin is the lock's, with the lock's hashes and no other."""
    packages = [_locked()[pin] for pin in _pinned(name)]
    files = [file for p in packages for file in [p.get("sdist"), *p.get("wheels", [])] if file]
    assert _hashes(name) == {file["hash"] for file in files}


def test_the_whole_lock_is_exported() -> None:
    """Development and peers have it all, production a part, and the build differs from neither."""
    development = _pinned("requirements-dev.txt")
    assert development | _pinned(PEERS) == _locked().keys() - {_project()}
    assert _pinned("requirements.txt") < development
    build, shared = _pinned("requirements-build.txt"), dict(development)
    assert {"hatchling", "editables"} <= {name for name, _ in build}
    assert all(shared.get(name, version) == version for name, version in build)
