from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from motif.core.errors import UnreadableFileError
from motif.core.testing.reader_tests import ReaderTests
from motif.ingest.readers.hdf5.reader import Hdf5

BOTTOM_UP = np.arange(4 * 6, dtype=np.float32).reshape(4, 6)


def write_usid(path: Path, quantity: str = "PhaseRetrace", units: str = "m", **data: Any) -> None:
    with h5py.File(path, "w") as file:
        file.attrs["sample_name"] = "PZT"
        group = file.create_group("Measurement_000")
        group.attrs.update({"ImagingMode": "PFM Mode", "ScanSize": 5e-6, "XPgain": -np.inf})
        iy, ix = np.divmod(np.arange(24), 6)
        tables = {
            "Position_Indices": np.stack([ix, iy], 1).astype("u4"),
            "Position_Values": np.stack([ix * 1e-6, iy * 1e-6], 1).astype("f4"),
            "Spectroscopic_Indices": np.zeros((1, 1), "u4"),
            "Spectroscopic_Values": np.zeros((1, 1), "f4"),
        }
        tables = {
            name: group.create_dataset(name, data=data.get(name, v)) for name, v in tables.items()
        }
        for name in ("Position_Indices", "Position_Values"):
            tables[name].attrs["labels"] = np.array([b"X", b"Y"])
            tables[name].attrs["units"] = np.array([b"m", b"m"])
        for number, (name, unit) in enumerate((("HeightRetrace", "m"), (quantity, units))):
            channel = group.create_group(f"Channel_00{number}")
            values = data.get("raw", BOTTOM_UP.reshape(24, 1)) + number
            main = channel.create_dataset("Raw_Data", data=values)
            main.attrs.update({"quantity": name, "units": unit})
            for table, dataset in tables.items():
                main.attrs[table] = dataset.ref


def write_nsid(path: Path, **data: Any) -> None:
    with h5py.File(path, "w") as file:
        group = file.create_group("Measurement_000/Channel_000/generic")
        main = group.create_dataset("generic", data=data.get("raw", BOTTOM_UP.T))
        main.attrs.update({"quantity": "intensity", "units": "counts", "data_type": "IMAGE"})
        for number, name in enumerate(data.get("dims", "xy")):
            scale = group.create_dataset(name, data=np.arange(main.shape[number]) * 0.5)
            scale.attrs.update({"name": name, "units": "nm", "quantity": "distance"})
            scale.make_scale(name)
            main.dims[number].attach_scale(scale)


def write_nexus(path: Path, values: np.ndarray = BOTTOM_UP, **axes: Any) -> None:
    with h5py.File(path, "w") as file:
        entry = file.create_group("entry")
        entry.attrs["NX_class"] = "NXentry"
        entry["start_time"] = "2024-03-05T10:00:00+01:00"
        entry["definition"] = "NXafm"
        user = entry.create_group("user")
        user.attrs["NX_class"] = "NXuser"
        user["name"] = "ada"
        data = entry.create_group("data")
        data.attrs.update({"NX_class": "NXdata", "signal": "height"})
        data["height"] = values
        data["height"].attrs["units"] = "nm"
        axes = axes or {"y": (-np.arange(4.0), "um"), "x": (np.arange(6.0), "um")}
        data.attrs["axes"] = list(axes)
        for name, (places, unit) in axes.items():
            data[name] = places
            data[name].attrs["units"] = unit


class TestUsid(ReaderTests):
    reader = Hdf5()
    suffix = ".h5"
    examples = 15

    def write_valid(self, path: Path) -> None:
        write_usid(path)


class TestNsid(ReaderTests):
    reader = Hdf5()
    suffix = ".hf5"
    examples = 15

    def write_valid(self, path: Path) -> None:
        write_nsid(path)


class TestNexus(ReaderTests):
    reader = Hdf5()
    suffix = ".nxs"
    examples = 15

    def write_valid(self, path: Path) -> None:
        write_nexus(path)


def test_usid_channels_are_planes_ordered_by_their_positions(tmp_path: Path) -> None:
    write_usid(tmp_path / "a.h5")
    reading = Hdf5()(tmp_path / "a.h5")
    (image,) = reading.measurements
    assert list(image.data["channel"].values) == ["HeightRetrace", "PhaseRetrace"]
    assert list(image.data["unit"].values) == ["m", "deg"], "no phase is measured in metres"
    np.testing.assert_array_equal(image.data[0], BOTTOM_UP)
    assert image.data["y"].values[-1] == pytest.approx(3e-6)
    facets = {f.name: f.value for f in image.facets}
    assert facets["scan_size"] == 5e-6
    assert facets["technique"] == "Piezoresponse force microscopy"
    assert "material" not in facets, "attributes of the root come from a template"
    assert ("/sample_name", "PZT") in reading.header
    assert ("XPgain", "-inf") in reading.header
    assert len(reading.warnings) == 2


def test_usid_rows_in_any_order_and_lines_from_the_top(tmp_path: Path) -> None:
    shuffled = np.random.default_rng(1).permutation(24)
    iy, ix = np.divmod(shuffled, 6)
    places = np.stack([ix * 1e-6, -iy * 1e-6], 1)
    write_usid(
        tmp_path / "a.h5",
        Position_Indices=np.stack([ix, iy], 1).astype("u4"),
        Position_Values=places.astype("f4"),
        raw=BOTTOM_UP[::-1].reshape(24, 1)[shuffled],
    )
    (image,) = Hdf5()(tmp_path / "a.h5").measurements
    np.testing.assert_array_equal(image.data[0], BOTTOM_UP)
    assert (np.diff(image.data["y"]) > 0).all()


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ({"raw": np.zeros((24, 5))}, "one spectrum at each of 24 positions"),
        ({"Position_Indices": np.zeros((24, 2), "u4")}, "image of whole lines"),
        ({"Position_Values": np.zeros((20, 2), "f4")}, "contradict each other"),
        ({"Position_Indices": np.full((24, 2), 2**32 - 1, "u4")}, "image of whole lines"),
        ({"raw": np.zeros((24, 1), complex)}, "no real numbers"),
    ],
)
def test_usid_contradictions_are_named(tmp_path: Path, data: Any, reason: str) -> None:
    write_usid(tmp_path / "a.h5", **data)
    with pytest.raises(UnreadableFileError, match=reason):
        Hdf5()(tmp_path / "a.h5")


def test_nsid_dimensions_are_turned_by_their_names(tmp_path: Path) -> None:
    write_nsid(tmp_path / "a.h5")
    (image,) = Hdf5()(tmp_path / "a.h5").measurements
    np.testing.assert_array_equal(image.data[0], BOTTOM_UP)
    assert image.data["x"].values[-1] == pytest.approx(2.5e-9)


def test_nsid_spectra_and_volumes(tmp_path: Path) -> None:
    write_nsid(tmp_path / "a.h5", raw=np.arange(5.0), dims=["wavelength"])
    (spectrum,) = Hdf5()(tmp_path / "a.h5").measurements
    assert spectrum.kind == "spectrum"
    assert spectrum.data["wavelength"].attrs["units"] == "nm"
    write_nsid(tmp_path / "b.h5", raw=np.zeros((3, 3, 3)), dims="xyz")
    with pytest.raises(UnreadableFileError, match="3 dimensions"):
        Hdf5()(tmp_path / "b.h5")


def test_nexus_lines_from_the_top_are_turned(tmp_path: Path) -> None:
    write_nexus(tmp_path / "a.nxs", BOTTOM_UP[::-1])
    (image,) = Hdf5()(tmp_path / "a.nxs").measurements
    np.testing.assert_allclose(image.data[0], BOTTOM_UP * 1e-9, rtol=1e-6)
    assert image.data["y"].values == pytest.approx([-3e-6, -2e-6, -1e-6, 0])
    facets = {f.name: (f.value, f.origin) for f in image.facets}
    assert facets["acquired_at"] == ("2024-03-05T09:00:00Z", "header:/entry/start_time")
    assert facets["technique"][0] == "NXafm"
    assert facets["operator"][0] == "ada"


def test_nexus_spectra(tmp_path: Path) -> None:
    shift = np.linspace(100, 900, 9)
    write_nexus(tmp_path / "a.nxs", np.arange(9.0), raman_shift=(shift, "1/cm"))
    (spectrum,) = Hdf5()(tmp_path / "a.nxs").measurements
    assert spectrum.data.dims == ("raman_shift",)
    assert spectrum.data["raman_shift"].attrs["units"] == "cm^-1"


def test_nexus_without_axes_is_in_pixels(tmp_path: Path) -> None:
    write_nexus(tmp_path / "a.nxs")
    with h5py.File(tmp_path / "a.nxs", "a") as file:
        del file["entry/data"].attrs["axes"]
    (image,) = Hdf5()(tmp_path / "a.nxs").measurements
    assert image.data["x"].attrs["units"] == "pixel"
    assert not [f for f in image.facets if f.name == "scan_size"]


@pytest.mark.parametrize(
    ("values", "axes", "reason"),
    [
        (np.zeros((2, 3, 4)), {}, "3 dimensions"),
        (
            BOTTOM_UP,
            {"y": (np.arange(4.0), "m"), "x": (np.arange(6.0) ** 2, "m")},
            "are uneven along",
        ),
        (BOTTOM_UP, {"y": (np.arange(4.0), "m"), "x": (np.arange(5.0), "m")}, "do not fit 6"),
    ],
)
def test_nexus_contradictions_are_named(
    tmp_path: Path, values: np.ndarray, axes: Any, reason: str
) -> None:
    write_nexus(tmp_path / "a.nxs", values, **axes)
    with pytest.raises(UnreadableFileError, match=reason):
        Hdf5()(tmp_path / "a.nxs")


def test_a_trillion_announced_values_are_not_allocated(tmp_path: Path) -> None:
    write_nexus(tmp_path / "a.nxs")
    with h5py.File(tmp_path / "a.nxs", "a") as file:
        del file["entry/data/height"]
        file["entry/data"].create_dataset("height", (10**6, 10**6), "f4", chunks=(100, 100))
    with pytest.raises(UnreadableFileError, match="1000000 x 1000000 values of /entry/data/height"):
        Hdf5()(tmp_path / "a.nxs")


def test_nothing_outside_the_file_is_read(tmp_path: Path) -> None:
    write_nexus(tmp_path / "a.nxs")
    secret = tmp_path / "secret.bin"
    secret.write_bytes(BOTTOM_UP.tobytes())
    with h5py.File(tmp_path / "b.nxs", "w") as file:
        file["entry"] = h5py.ExternalLink(str(tmp_path / "a.nxs"), "/entry")
        file["soft"] = h5py.SoftLink("/entry")
    with pytest.raises(UnreadableFileError, match="no dataset"):
        Hdf5()(tmp_path / "b.nxs")
    with h5py.File(tmp_path / "a.nxs", "a") as file:
        del file["entry/data/height"]
        stored = [(str(secret), 0, secret.stat().st_size)]
        file["entry/data"].create_dataset("height", (4, 6), "f4", external=stored)
    with pytest.raises(UnreadableFileError, match="are stored in other files"):
        Hdf5()(tmp_path / "a.nxs")


def test_circular_groups_are_read_once(tmp_path: Path) -> None:
    write_nexus(tmp_path / "a.nxs")
    with h5py.File(tmp_path / "a.nxs", "a") as file:
        file["entry/again"] = file["entry"]
        file["entry/data/root"] = file["/"]
    assert len(Hdf5()(tmp_path / "a.nxs").measurements) == 1


def test_other_hdf5_is_named(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["numbers"] = np.zeros(3)
    with pytest.raises(UnreadableFileError, match="1 datasets such as /numbers that follows none"):
        Hdf5()(tmp_path / "a.h5")
