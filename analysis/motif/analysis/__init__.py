"""Models and what is derived from measurements: gradients, features, maps, neighbours."""
