"""The two documented ways to disconnect a calendar over HTTP."""
