"""The flow on fakes, in virtual time."""
