"""Readers of Gwyddion files, ``.gwy`` and ``.gsf``."""
