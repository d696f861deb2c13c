"""The worker's ports in memory."""
