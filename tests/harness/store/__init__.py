"""Databases in every state that a store may meet."""
