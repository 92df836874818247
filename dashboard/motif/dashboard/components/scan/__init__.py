"""One channel of an image with axes, colour scale and line profile."""
