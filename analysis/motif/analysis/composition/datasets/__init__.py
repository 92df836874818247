"""Composition libraries as arrays, and the split of their samples for training."""
