"""The product as a process, its commands, and scenes made of them."""
