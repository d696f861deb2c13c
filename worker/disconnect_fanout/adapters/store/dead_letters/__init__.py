"""Dead letters: published, counted, discarded."""
