"""``make simulate``: one seed with its trace, or many until the first that fails.

Exit code 0 if nothing was violated, else 1.
"""

import argparse
import sys
import time
from collections.abc import Iterable

from tests.simulation.mutants import MUTANTS, SUBTLE
from tests.simulation.run import Verdict, run
from tests.simulation.worker import Mutation

_MUTANTS = MUTANTS | SUBTLE


def main() -> int:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(prog="make simulate", description=__doc__)
    parser.add_argument("--seed", type=int, help="this one alone, with its trace")
    parser.add_argument("--seeds", type=int, default=1000, help="so many (default: %(default)s)")
    parser.add_argument("--first", type=int, default=1, help="beginning with this one")
    parser.add_argument("--mutant", choices=sorted(_MUTANTS), help="with a worse flow")
    given = parser.parse_args()
    mutation = _MUTANTS[given.mutant] if given.mutant else Mutation()
    if given.seed is not None:
        verdict = run(given.seed, mutation)
        print(verdict)  # noqa: T201 - a command
        return 1 if verdict.violations else 0
    return _many(range(given.first, given.first + given.seeds), mutation)


def _many(seeds: Iterable[int], mutation: Mutation) -> int:
    began, done, requests = time.perf_counter(), 0, 0
    for done, seed in enumerate(seeds, 1):
        verdict = run(seed, mutation)
        requests += verdict.requests
        if verdict.violations:
            print(verdict)  # noqa: T201
            print(f"the {done}. seed; again: {_again(verdict)}", file=sys.stderr)  # noqa: T201
            return 1
    took = time.perf_counter() - began
    words = f"{done} seeds, {requests} requests, no violation; {done / took:.1f} seeds/s"
    print(words)  # noqa: T201
    return 0


def _again(verdict: Verdict) -> str:
    return f"make simulate SEED={verdict.seed}"


if __name__ == "__main__":
    sys.exit(main())
