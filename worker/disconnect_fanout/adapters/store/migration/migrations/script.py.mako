"""${message}.

Others use the tables meanwhile, and an interrupted run begins this again (``migrations.steps``): use
plain operations, never CREATE INDEX as text; what changes rows may be repeated.
"""

import sqlalchemy as sa
from alembic import op

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}


def upgrade() -> None:
    """${message}."""
    ${upgrades if upgrades else "pass"}
