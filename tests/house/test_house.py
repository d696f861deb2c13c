"""The rules of the house that no linter knows."""

import ast
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TESTS = sorted((ROOT / "tests").rglob("test_*.py"))
LONGEST_FILE = 250
LONGEST_FUNCTION = 50
LARGEST_FOLDER = 30


@cache
def tree(file: Path) -> ast.Module:
    """A file, parsed once."""
    return ast.parse(file.read_text("utf-8"), str(file))


def nodes(file: Path, *words: str) -> Iterator[ast.AST]:
    """Everything in a file that holds one of the words; a walk takes longer than a look."""
    text = file.read_text("utf-8")
    yield from ast.walk(tree(file)) if any(word in text for word in words) else ()


def place(file: Path, line: int) -> str:
    """A place that an editor can jump to."""
    return f"{file.relative_to(ROOT)}:{line}"


def dotted(node: ast.AST) -> str:
    """``pytest.mark.skip`` for the expression of that name, a call of it included."""
    match node:
        case ast.Call(func=func):
            return dotted(func)
        case ast.Attribute(value=value, attr=attr):
            return f"{dotted(value)}.{attr}"
        case ast.Name(id=name):
            return name
        case _:
            return ""


def sleeps(file: Path) -> Iterator[str]:
    """Where a test waits for a span of time; ``sleep(0)`` only lets others run."""
    for node in nodes(file, "sleep"):
        if isinstance(node, ast.Call) and dotted(node).rpartition(".")[2] == "sleep":
            given = [*node.args, *(keyword.value for keyword in node.keywords)]
            if any(isinstance(one, ast.Constant) and one.value for one in given):
                yield place(file, node.lineno)


def skips(file: Path) -> Iterator[str]:
    """Where a test is left out or may fail."""
    for node in nodes(file, "skip", "xfail", "Skip"):
        name = dotted(node) if isinstance(node, ast.Attribute) else ""
        if name.rpartition(".")[2] in {"skip", "skipif", "xfail", "importorskip", "SkipTest"}:
            yield place(file, getattr(node, "lineno", 0))


def silent(file: Path) -> Iterator[str]:
    """Test functions without a docstring."""
    body = tree(file).body
    methods = [node for one in body if isinstance(one, ast.ClassDef) for node in one.body]
    for node in [*body, *methods]:
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                if name.startswith("test") and not ast.get_docstring(node):
                    yield place(file, node.lineno)
            case _:
                pass


def long_functions(file: Path) -> Iterator[str]:
    """Functions that no screen shows whole."""
    for node in ast.walk(tree(file)):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if (node.end_lineno or 0) - node.lineno >= LONGEST_FUNCTION:
            yield place(file, node.lineno)


def test_every_test_states_its_claim() -> None:
    """Each test function has a docstring: the sentence that it tries to refute."""
    assert [line for file in TESTS for line in silent(file)] == []


def test_no_test_waits_for_a_span_of_time() -> None:
    """Tests await a signal; a sleep is either too short on a busy machine or too long on any."""
    assert [line for file in TESTS for line in sleeps(file)] == []


def test_no_test_is_left_out() -> None:
    """No skip, no xfail: a missing part is installed, or it is an error."""
    assert [line for file in TESTS for line in skips(file)] == []


def test_the_fakes_are_made_of_rules_alone() -> None:
    """What is in memory decides by policy, as the databases do, and borrows nothing from these."""
    fakes = (ROOT / "tests/harness/fakes").glob("*.py")
    assert [one.name for one in fakes if "disconnect_fanout.adapters" in one.read_text()] == []


def test_no_file_is_longer_than_a_reader_can_hold() -> None:
    """At most 250 lines in each file of worker/ and schemas/."""
    files = [file for part in ("worker", "schemas") for file in (ROOT / part).rglob("*.py")]
    lengths = {file: len(file.read_text("utf-8").splitlines()) for file in files}
    assert files
    assert [place(file, n) for file, n in sorted(lengths.items()) if n > LONGEST_FILE] == []


def test_no_folder_holds_more_than_a_glance_takes_in() -> None:
    """At most 30 files beside each other in worker/ and schemas/; revisions of the schema aside."""
    folders = Counter(
        file.parent for part in ("worker", "schemas") for file in (ROOT / part).rglob("*.py")
    )
    assert folders
    long = {folder: count for folder, count in folders.items() if count > LARGEST_FOLDER}
    assert {folder for folder in long if folder.name != "versions"} == set()


def test_no_function_is_longer_than_a_screen() -> None:
    """At most 50 lines in each function, docstring and arguments included; migrations aside."""
    files = [
        file
        for part in ("worker", "schemas")
        for file in (ROOT / part).rglob("*.py")
        if file.parent.name != "versions"
    ]
    assert [line for file in files for line in long_functions(file)] == []


@pytest.mark.parametrize(
    ("source", "finds"),
    [
        ("def test_a():\n    pass", silent),
        ("class A:\n    async def test_a(self):\n        pass", silent),
        ("asyncio.sleep(0.1)", sleeps),
        ("time.sleep(1)", sleeps),
        ("sleep(delay=2)", sleeps),
        ("@pytest.mark.skip\ndef a(): ...", skips),
        ("@pytest.mark.xfail(reason='x')\ndef a(): ...", skips),
        ("mark = pytest.mark.skipif(True, reason='x')", skips),
        ("pytest.skip('x')", skips),
        ("def test_a():\n    1\n" + "    1\n" * 50, long_functions),
    ],
)
def test_the_rules_find_what_they_forbid(
    source: str, finds: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each rule catches its own counterexample, so an empty list means something."""
    file = tmp_path / "test_example.py"
    file.write_text(source, "utf-8")
    monkeypatch.setitem(globals(), "ROOT", tmp_path)
    assert callable(finds)
    assert len(list(finds(file))) == 1
