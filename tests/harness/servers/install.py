"""Install the servers that the tests run, before any test's time is counted.

``python -m tests.harness.servers.install``; on a machine that has them it does nothing. The
fixtures would do the same, but a slow mirror would then look like a test that hangs.
"""

import sys

from tests.harness.servers.pgbouncer_install import (
    NoPgBouncerError,
    ensure_pgbouncer,
    find_pgbouncer,
)
from tests.harness.servers.postgres_install import NoPostgresError, ensure_binaries, find_binaries

from disconnect_fanout.demo.child_process import ChildFailedError
from disconnect_fanout.demo.rabbitmq_install import NoBrokerError, ensure_server, find_server


def main() -> int:
    """Install what is missing; return 1, with what to do about it, if that cannot be."""
    try:
        if find_server() is None:
            sys.stderr.write("installing RabbitMQ\n")
            ensure_server()
        if find_binaries() is None:
            sys.stderr.write("installing PostgreSQL\n")
            ensure_binaries()
        if find_pgbouncer() is None:
            sys.stderr.write("installing PgBouncer\n")
            ensure_pgbouncer()
    except (NoBrokerError, NoPostgresError, NoPgBouncerError, ChildFailedError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
