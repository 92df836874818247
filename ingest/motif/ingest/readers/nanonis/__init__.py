"""Readers of Nanonis scans, grids of spectra and single spectra."""
