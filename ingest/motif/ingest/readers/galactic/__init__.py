"""Reader of Galactic (GRAMS) spectra, ``.spc``."""
