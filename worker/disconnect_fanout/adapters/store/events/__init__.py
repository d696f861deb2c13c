"""Events: registered once, resolved again, looked up, pruned."""
