"""The server process: ASGI application, data routes, supervision together with the scheduler."""
