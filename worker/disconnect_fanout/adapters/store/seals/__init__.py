"""What is sealed at rest: with which keys, found under which hashes, and what can't be opened."""
