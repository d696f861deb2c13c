"""Hooks of schemathesis: some cases name somebody who is connected, and answers are counted.

Loaded by path into the fuzzer's own process (SCHEMATHESIS_HOOKS), so it imports nothing of ours.
"""

import atexit
import json
import os
from collections import Counter
from itertools import count
from pathlib import Path
from typing import Any

import schemathesis
from schemathesis import Case, HookContext, Response

_answers: Counter[str] = Counter()
_people = count()
_numbers = count(1)


@schemathesis.hook
def before_call(_context: HookContext, case: Case[Any], **_: Any) -> None:
    """In every valid case take the next person or credential that the scene has imported."""
    generated = case.meta.generation.mode.is_positive if case.meta else False
    if not generated:
        return
    if case.operation.method == "delete":
        case.path_parameters["email"] = f"user{next(_people)}@example.com"
    elif isinstance(case.body, dict):
        case.body["id"] = next(_numbers)


@schemathesis.hook
def after_call(_context: HookContext, case: Case[Any], response: Response) -> None:
    """Count by operation and status."""
    _answers[f"{case.operation.method} {response.status_code}"] += 1


@atexit.register
def _report() -> None:
    Path(os.environ["FUZZ_REPORT"]).write_text(json.dumps(_answers), "utf-8")
