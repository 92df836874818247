"""Reader of Renishaw WiRE measurements, ``.wdf``."""
