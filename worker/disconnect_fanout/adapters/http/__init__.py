"""The HTTP client that tells platforms, guarded at the socket."""
