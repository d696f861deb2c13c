"""Real servers on loopback: brokers, databases, platforms, name servers."""
