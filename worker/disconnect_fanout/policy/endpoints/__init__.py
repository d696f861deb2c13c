"""Where a webhook may go: the URL at registration, the address at connect time."""
