"""The commands: each module or folder here is one: a function of its name, or an ``app``."""
