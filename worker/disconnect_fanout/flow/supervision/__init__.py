"""What looks after a worker's tasks: duties begun again, tasks held, outages said once."""
