"""Links that events open and close (``FANOUT_DIRECTORY=managed``)."""
