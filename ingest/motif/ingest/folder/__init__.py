"""A folder of instrument files as a source."""
