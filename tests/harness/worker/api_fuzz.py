"""schemathesis against a running API, with people and credentials for it to find."""

import asyncio
import json
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, STDOUT
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from tests.harness.worker.api_process import ApiProcess
from tests.harness.worker.installation import Installation

_HOOKS = Path(__file__).with_name("fuzz_hooks.py")
# 422 is what the draft of the Idempotency-Key header says for a key that is used again.
_CONFIG = """
base-url = "{url}"

[checks.positive_data_acceptance]
expected-statuses = ["2xx", 400, 401, 403, 404, 422, 429]

[[operations]]
include-operation-id = "deleteCalendar"
headers = {{ Authorization = "Bearer {platform_key}" }}

[[operations]]
include-operation-id = "disconnectCalendar"
headers = {{ Authorization = "Bearer {cal_key}" }}
"""


@dataclass(frozen=True, slots=True)
class Fuzzed:
    """What came of it.

    Attributes:
        found: what schemathesis printed; empty if it found no violation.
        answers: by method and status, such as ``delete 404``.
    """

    found: str
    answers: Counter[str]


async def fuzz(installation: Installation, api: ApiProcess, examples: int, seed: int) -> Fuzzed:
    """Generate up to so many cases for each operation and phase, valid and invalid ones."""
    folder = installation.folder
    await _people(installation, examples)
    config = folder / "schemathesis.toml"
    config.write_text(
        _CONFIG.format(
            url=api.url,
            platform_key=await _key(installation, "--platform", "plat_luma"),
            cal_key=await _key(installation, "--kind", "cal_api_key", "--user-id", "7"),
        )
    )
    report = folder / "answers.json"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "schemathesis.cli", "run", f"{api.url}/openapi.json",
        "--max-examples", str(examples), "--seed", str(seed), "--no-color",
        cwd=folder, stdin=DEVNULL, stdout=PIPE, stderr=STDOUT,
        env={
            **os.environ,
            "SCHEMATHESIS_HOOKS": str(_HOOKS),
            "FUZZ_REPORT": str(report),
        },
    )  # fmt: skip
    out, _ = await process.communicate()
    answers: Counter[str] = Counter(json.loads(report.read_text("utf-8")))
    return Fuzzed("" if process.returncode == 0 else out.decode(), answers)


async def _people(installation: Installation, count: int) -> None:
    """Link so many users, and give one of them as many credentials."""
    await installation.link([f"user{n}@example.com" for n in range(count)], "plat_luma")
    lines = [
        {"id": n, "type": "google_calendar", "user_id": 7, "email": f"user{n}@example.com"}
        for n in range(1, count + 1)
    ]
    path = installation.folder / "credentials.jsonl"
    path.write_text("".join(f"{json.dumps(one)}\n" for one in lines))
    await installation.ask("credentials", "import", str(path))


async def _key(installation: Installation, *options: str) -> str:
    return str((await installation.ask("keys", "create", *options))["key"])
