"""Connections to PostgreSQL: how they are made, set, watched and thrown away."""
