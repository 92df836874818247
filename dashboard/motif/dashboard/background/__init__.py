"""Work in separate processes: background commands and projections."""
