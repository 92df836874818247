"""A gallery of thumbnails."""
