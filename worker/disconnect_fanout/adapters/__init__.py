"""Where the flow's ports meet the world: broker, http, store, crypto."""
