"""What commands stand on: the configuration, the database, the broker, the audit."""
