"""Similarity search over images and spectra, exact under any metadata filter."""
