"""Logs and metrics: the only places that phrase and count what the flow says happened."""
