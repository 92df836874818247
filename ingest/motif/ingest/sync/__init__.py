"""Brings a workspace up to date with its sources."""
