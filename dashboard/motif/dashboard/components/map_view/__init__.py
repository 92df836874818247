"""The map: a WebGL scatter with legend, lasso and thumbnails."""
