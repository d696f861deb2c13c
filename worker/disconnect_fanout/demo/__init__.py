"""The whole story on one machine: a private broker, three platforms, a worker and an operator."""
