"""Settings, wiring, lifecycle: the only place where adapters meet flow."""
