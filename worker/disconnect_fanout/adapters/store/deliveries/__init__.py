"""Deliveries: claimed, recorded, looked up, balanced."""
