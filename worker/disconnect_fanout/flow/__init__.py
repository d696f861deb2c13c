"""The use-cases, and the small ports that they need. Speaks asyncio, but to no vendor."""
