"""Units of a Galactic ``.spc`` by their numbers."""

from motif.ingest.readers.spectral_axes import Axis

AXES = {
    1: Axis("wavenumber", "cm^-1"), 2: Axis("wavelength", "um"), 3: Axis("wavelength", "nm"),
    4: Axis("time", "s"), 5: Axis("time", "min"), 6: Axis("frequency", "Hz"),
    7: Axis("frequency", "kHz"), 8: Axis("frequency", "MHz"), 9: Axis("mass_to_charge", "1"),
    10: Axis("chemical_shift", "ppm"), 13: Axis("raman_shift", "cm^-1"),
    14: Axis("photon_energy", "eV"), 18: Axis("two_theta", "deg"), 23: Axis("time", "ms"),
    24: Axis("time", "us"), 25: Axis("time", "ns"), 26: Axis("frequency", "GHz"),
    30: Axis("time", "hour"),
}  # fmt: skip
"""Axes of spectra; arbitrary ones, lengths and channel numbers are left out on purpose."""

INTENSITIES = {
    0: "arb. unit", 1: "arb. unit", 2: "1", 3: "1", 4: "count", 5: "V", 6: "deg", 7: "mA",
    8: "mm", 9: "mV", 10: "1", 11: "percent", 12: "arb. unit", 13: "arb. unit", 14: "arb. unit",
    16: "arb. unit", 19: "degF", 20: "degC", 21: "K", 22: "1", 23: "1", 24: "arb. unit",
    25: "arb. unit", 128: "1", 129: "1", 130: "arb. unit", 131: "1",
}  # fmt: skip
"""Absorbance, transmission and reflectance are pure numbers."""

SIGNALS = {
    1: "interferogram", 2: "absorbance", 3: "Kubelka-Munk", 10: "log(1/R)", 128: "transmission",
    129: "reflectance", 131: "emission",
}  # fmt: skip
"""What an intensity without a unit is."""

SERIES = {
    4: ("series_time", "s"), 5: ("series_time", "min"), 20: ("temperature", "degC"),
    21: ("temperature", "K"), 23: ("series_time", "ms"), 29: ("map_x", "mm"), 2: ("map_x", "um"),
}  # fmt: skip
"""Facet and unit of the third axis of a series."""
