"""``fanout init``: a configuration to start from."""

import os
from dataclasses import dataclass

from disconnect_fanout.adapters.crypto.vault import new_key
from disconnect_fanout.app.settings import ENV_FILE
from disconnect_fanout.cli.screen.output import Output, OutputOption, say, show_one
from disconnect_fanout.cli.usage_error import UsageError
from disconnect_fanout.policy.wording.error_words import system_words

_TEMPLATE = """\
# disconnect-fanout. Read from the working directory; the environment wins over this file.

# Encrypts webhook secrets and events at rest. Keep it: without it the database can't be read.
# To rotate it, in this order: OLD,NEW on every worker and api, and restart them all; then NEW,OLD
# on all of them; then `fanout secret-key reseal`, after which OLD can go. NEW,OLD first would leave
# those that have only OLD unable to read what NEW seals: they would wait, not ready.
FANOUT_SECRET_KEY={key}

# The broker, and where everything is kept. SQLite means one machine; for many workers use
# postgresql+asyncpg://user:password@host/name
FANOUT_AMQP_URL=amqp://guest:guest@127.0.0.1:5672/
FANOUT_DATABASE_URL=sqlite+aiosqlite:///fanout.db

# Each secret may be in a file instead: FANOUT_SECRET_KEY_FILE, FANOUT_AMQP_URL_FILE,
# FANOUT_DATABASE_URL_FILE, FANOUT_MANAGEMENT_URL_FILE.

# RabbitMQ's management API, only read: what AMQP can't see, a binding that somebody has removed and
# policies that remove events. Unset it is looked for beside the broker, at port 15672 (amqps:
# https, 15671), with the broker's user; off asks nobody.
#FANOUT_MANAGEMENT_URL=http://127.0.0.1:15672

# What follows are the defaults.
#FANOUT_RETRY_SCHEDULE=5s,5m,30m,2h,5h,10h,14h,20h,24h
#FANOUT_TIMEOUT=30s
#FANOUT_LINK_GRACE=2s
#FANOUT_PREFETCH=200
#FANOUT_MAX_IN_FLIGHT=256
#FANOUT_MAX_IN_FLIGHT_PER_PLATFORM=32
#FANOUT_DRAIN_TIMEOUT=35s
#FANOUT_HISTORY_RETENTION=30d
#FANOUT_LOG_LEVEL=info
#FANOUT_LOG_FORMAT=json
#FANOUT_HTTP_HOST=127.0.0.1
#FANOUT_HTTP_PORT=9464

# For tests on one machine only: plain http, and receivers on the loopback interface.
#FANOUT_ALLOW_HTTP=true
#FANOUT_ALLOW_NETWORKS=127.0.0.0/8,::1/128
"""


@dataclass(frozen=True, slots=True)
class _Written:
    file: str


def init(output: OutputOption = Output.TABLE) -> None:
    r"""Write a commented .env with a fresh secret key into the working directory.

    It is readable by you alone, and an existing one is never overwritten.

    \b
    Example:
      fanout init
    """
    try:
        # Created with its mode, not changed afterwards: the key is never readable by others.
        descriptor = os.open(ENV_FILE, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        raise UsageError(
            f"{ENV_FILE} exists already; it may hold the only key to a database, so it stays"
        ) from None
    except OSError as error:
        raise UsageError(f"can't write {ENV_FILE}: {system_words(error)}") from None
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(_TEMPLATE.format(key=new_key()))
    show_one(_Written(ENV_FILE), output)
    say("next: fanout migrate")
