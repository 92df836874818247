"""Reader of Bruker OPUS spectra."""
