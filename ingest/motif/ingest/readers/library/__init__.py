"""Readers of composition libraries: tables, workbooks, DRNets instances."""
