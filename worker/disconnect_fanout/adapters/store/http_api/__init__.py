"""What the HTTP API keeps: keys, credentials, promises not yet published, answers given again."""
