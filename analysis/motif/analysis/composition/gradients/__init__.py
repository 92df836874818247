"""Gradients of the predicted performance, and how well they match a known law."""
