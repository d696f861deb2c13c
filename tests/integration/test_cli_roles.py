"""What a role of PostgreSQL may or may not, as operators hear of it."""

import asyncio

import asyncpg
import pytest
from sqlalchemy import make_url
from tests.harness.servers.vhost import Vhost
from tests.harness.worker.operator import Operator

from disconnect_fanout.adapters.crypto.vault import new_key


@pytest.fixture
def upstream(newcomer: Operator, vhost: Vhost, postgres_url: str) -> Operator:
    """An operator with a broker and an empty database."""
    key = new_key()
    newcomer.settings |= vhost.settings
    newcomer.settings |= {"FANOUT_DATABASE_URL": postgres_url, "FANOUT_SECRET_KEY": key}
    return newcomer


def owner(url: str, *statements: str) -> None:
    """Run statements as the server's superuser."""

    async def run() -> None:
        connection = await asyncpg.connect(url.replace("+asyncpg", ""))
        for one in statements:
            await connection.execute(one)
        await connection.close()

    asyncio.run(run())


def with_role(operator: Operator, *statements: str) -> tuple[str, str]:
    """Let the operator's commands run in a role that is no superuser; return both URLs."""
    url = make_url(operator.settings["FANOUT_DATABASE_URL"])
    role = f"role_{url.database}".replace("-", "_")
    whole = url.render_as_string(hide_password=False)
    made = (one.format(role=role, database=f'"{url.database}"') for one in statements)
    owner(whole, f"CREATE ROLE {role} LOGIN PASSWORD 'p'", *made)
    theirs = url.set(username=role, password="p").render_as_string(hide_password=False)  # noqa: S106
    operator.settings["FANOUT_DATABASE_URL"] = theirs
    return whole, role


REFUSED = {
    "no schema of its search_path": ("ALTER ROLE {role} SET search_path = nowhere", "search_path"),
    "no schema of the database's": (
        "ALTER DATABASE {database} SET search_path = nowhere, elsewhere", "search_path",
    ),
    "no right to make a table": ("REVOKE CREATE ON SCHEMA public FROM PUBLIC", "CREATE ON SCHEMA"),
    "no right to see the schema": ("REVOKE USAGE ON SCHEMA public FROM PUBLIC", "GRANT USAGE"),
}  # fmt: skip


@pytest.mark.parametrize("why", REFUSED)
def test_a_role_that_can_make_no_table_is_exit_3_with_what_to_do(
    upstream: Operator, why: str
) -> None:
    """Mended by what was said, it goes through. Fails before: exit 4, in the server's words."""
    statement, word = REFUSED[why]
    whole, role = with_role(upstream, statement)
    said = upstream.refused("migrate", code=3)
    assert (word in said, "fanout migrate" in said) == (True, True), said
    database = make_url(whole).database
    owner(
        whole,
        f"ALTER ROLE {role} RESET search_path",
        f'ALTER DATABASE "{database}" RESET search_path',
        f"GRANT USAGE, CREATE ON SCHEMA public TO {role}",
    )
    assert upstream.ask("migrate")["database_before"] is None


def test_tables_of_another_owner_are_exit_3_with_what_to_do(upstream: Operator) -> None:
    """An upgrade needs their owner. Fails before: exit 4, in the server's words."""
    upstream.ask("migrate")
    grants = ("GRANT ALL ON ALL TABLES IN SCHEMA public TO {role}",)
    older = "UPDATE alembic_version SET version_num = '0005'"
    with_role(upstream, *grants, older)
    said = upstream.refused("migrate", code=3)
    assert ("owner" in said, "fanout migrate" in said) == (True, True), said


@pytest.mark.parametrize("limit", ["idle_session_timeout = '200ms'", "statement_timeout = '1s'"])
def test_check_bears_the_limits_of_its_role(upstream: Operator, limit: str) -> None:
    """They are for others; see also ``test_connections``."""
    upstream.ask("migrate")
    with_role(
        upstream,
        "GRANT ALL ON ALL TABLES IN SCHEMA public TO {role}",
        "GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {role}",
        f"ALTER ROLE {{role}} SET {limit}",
    )
    result = upstream.fanout("check")
    assert result.exit_code == 0, result


def test_check_warns_of_what_only_the_api_lacks(upstream: Operator) -> None:
    """A worker works; whoever runs the API in this role hears it. Fails before: not a word."""
    upstream.ask("migrate")
    with_role(
        upstream,
        "GRANT ALL ON ALL TABLES IN SCHEMA public TO {role}",
        "GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {role}",
        "REVOKE INSERT ON outbox FROM {role}",
    )
    (said,) = [one for one in upstream.ask("check") if one["check"] == "api"]
    assert said["result"] == "warning"
    assert "INSERT ON outbox" in said["detail"]
