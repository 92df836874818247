"""Readers of spectra exported as text: LabSpec, WITec, RRUFF, ROD, B&W Tek, two columns."""
