"""Labels and notes that people add to measurements."""
