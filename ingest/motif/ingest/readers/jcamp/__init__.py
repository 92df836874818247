"""Reader of JCAMP-DX spectra."""
