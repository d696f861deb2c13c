"""What ``fanout check`` looks at in the database."""
