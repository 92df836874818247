"""The server: sockets, protocol, dispatch of requests, control from outside, limits and faults."""
