"""Replays: a frozen selection, sent again at a pace."""
