"""What the tests stand on: real servers, a real worker process, real receiving platforms."""
