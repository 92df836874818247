"""Measured evidence of symmetry: lattice, operations, order, and its description in words."""
