"""Handlers of request messages, one module for each topic."""
