"""RabbitMQ: the topology, one connection to consume and another to publish."""
