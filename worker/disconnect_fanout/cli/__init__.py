"""The command ``fanout``: one thin command per verb. Data on stdout, all else on stderr."""
