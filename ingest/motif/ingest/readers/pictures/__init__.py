"""Readers of TIFF (Park scans included), PNG and JPEG."""
