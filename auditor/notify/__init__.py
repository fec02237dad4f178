"""Report -> a message on some channel. What is said is pure; only sending touches the network."""
