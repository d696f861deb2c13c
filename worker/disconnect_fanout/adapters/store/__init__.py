"""The database: SQLite on one machine, PostgreSQL for many workers. SQLAlchemy Core, no ORM."""
