"""The store: arrays in an Icechunk repository, their layout, and the check of their integrity."""
