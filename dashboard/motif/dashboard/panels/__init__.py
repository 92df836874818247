"""Panels that pages are composed of."""
