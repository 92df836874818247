"""Results and instrument files on their way back to DataFed."""
