"""Pure decisions. Each is made in one place; now and chance are arguments; no loop, no vendor."""
