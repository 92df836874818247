"""Models: cards, selection, comparison, invariance on one's own images; backbones and joining."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from motif.analysis.search.search_request import SearchRequest
from motif.analysis.search.similarity_search import search
from motif.analysis.symmetry.embedding.embedding_results import current, vectors
from motif.analysis.symmetry.embedding.fused_embedding import _by_image, embed
from motif.analysis.symmetry.embedding.tiles import Tile
from motif.analysis.symmetry.extractors.backbones import Backbone, network, read_weights
from motif.analysis.symmetry.extractors.preparation_recipe import PreparationRecipe
from motif.analysis.symmetry.extractors.symmetry_extractor import SHIPPED
from motif.analysis.symmetry.models import model_cards_data
from motif.analysis.symmetry.models.model_registry import add
from motif.core.errors import ConfigError, NotFoundError, UnsuitableDataError
from motif.core.jobs.job_runs import run_job
from motif.core.testing.fill_workspace import fill, image
from motif.core.workspace import Workspace


def scan(seed: int, size: int = 64) -> object:
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:size, :size] * 2 * np.pi / (7 + seed % 5)
    angle = rng.uniform(0, 3)
    phase = np.sin(x * np.cos(angle) + y * np.sin(angle)) + (seed % 2) * np.sin(y)
    return image(np.stack([0 * x, 1 + 0 * x, 80 * phase]) + rng.normal(size=(3, size, size)))


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    with Workspace.init(tmp_path / "lab") as opened:
        fill(opened, "pfm", {f"s{n}": [scan(n)] for n in range(16)})
        yield opened


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ResNet-18 as torchvision saves one, with weights drawn at random."""
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("weights") / "resnet18.pth"
    head = {"fc.weight": torch.zeros(1000, 512), "fc.bias": torch.zeros(1000)}
    torch.save({**network("resnet18").state_dict(), **head}, path)
    return path


def test_every_model_has_a_card(workspace: Workspace) -> None:
    cards = {one.name: one for one in model_cards_data.cards(workspace)}
    assert {"analytic", "symmetry"} <= set(cards)
    shipped = cards["symmetry"]
    assert shipped.selected
    assert shipped.kind == "installed"
    assert len(shipped.sha256) == 64
    assert shipped.document["command"].startswith("motif train symmetry")
    assert cards["analytic"].sha256 == ""
    assert json.loads(json.dumps(shipped.as_json()))["name"] == "symmetry"
    with pytest.raises(NotFoundError, match="analytic, symmetry"):
        model_cards_data.card(workspace, "symetry")


def test_the_selected_model_is_used_and_searched(workspace: Workspace) -> None:
    embed(workspace, "pfm")
    model_cards_data.select(workspace, "analytic")
    assert model_cards_data.selected(workspace) == "analytic"
    # Nothing of the selected model is there yet, so what is there still counts.
    assert current(workspace, "pfm")[0].parameters["extractor"] == "symmetry"
    assert embed(workspace, "pfm")["extractor"] == "analytic"
    embed(workspace, "pfm", extractor="symmetry")
    assert current(workspace, "pfm")[0].parameters["extractor"] == "analytic"
    model_cards_data.select(workspace, "symmetry")
    model_cards_data.select(workspace, "analytic")
    model_cards_data.select(workspace, "symmetry")
    assert model_cards_data.selected(workspace) == "symmetry"
    assert model_cards_data.card(workspace, "analytic").embedded == {"pfm": 16}
    row = workspace.select("pfm")[0]
    by = [
        search(workspace, SearchRequest("pfm", ids=[row.id], features=name))
        for name in ("symmetry", "analytic")
    ]
    assert [hit.distance for hit in by[0]] != [hit.distance for hit in by[1]]
    with pytest.raises(NotFoundError, match="there are symmetry, analytic"):
        search(workspace, SearchRequest("pfm", ids=[row.id], features="symmetry@10nm"))


def test_invariance_is_measured_on_own_images_and_kept(workspace: Workspace) -> None:
    made = model_cards_data.measure(workspace, "pfm", "analytic")
    assert made.images == 16
    assert made.channels == {"phase": 16}
    assert made.changes["inversion"] == pytest.approx(0, abs=1e-6)
    assert made.changes["mirror"] < 0.05
    assert made.changes["quarter turn"] < 0.05
    assert all(made.changes[key] <= made.highest[key] for key in ("quarter turn", "mirror"))
    assert model_cards_data.measure(workspace, "pfm", "analytic") == made
    assert model_cards_data.card(workspace, "analytic").measured == [made]
    with pytest.raises(UnsuitableDataError, match="measuring takes 8"):
        model_cards_data.measure(workspace, "pfm", count=3)


def test_models_are_compared(workspace: Workspace) -> None:
    model_cards_data.measure(workspace, "pfm", "analytic")
    for name in ("analytic", "symmetry"):
        embed(workspace, "pfm", extractor=name)
    found = model_cards_data.compare(workspace, ["analytic", "symmetry"])
    assert found.figures["pfm: mirror"].keys() == {"analytic"}
    assert any("accuracy" in figure for figure in found.figures)
    (agreement,) = found.agreements
    assert agreement.images == 16
    assert 10 / 15 * 0.8 < agreement.shared <= 1
    with pytest.raises(NotFoundError, match='no collection "other"'):
        model_cards_data.compare(workspace, collection="other")


def test_weights_are_taken_into_the_workspace(workspace: Workspace, tmp_path: Path) -> None:
    made = add(workspace, SHIPPED, name="mine")
    assert made.kind == "trained"
    assert model_cards_data.card(workspace, "mine").document["command"].startswith("motif train")
    first = embed(workspace, "pfm", extractor="mine")
    assert first["features"] == "mine"
    _, own, _ = vectors(workspace, "pfm")
    embed(workspace, "pfm", extractor="symmetry")
    _, shipped, _ = vectors(workspace, "pfm")
    np.testing.assert_array_equal(own, shipped)
    with pytest.raises(ConfigError, match="already"):
        add(workspace, SHIPPED, name="mine")
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(b"no tensors")
    with pytest.raises(ConfigError):
        add(workspace, broken, name="broken")
    assert "broken" not in {one.name for one in model_cards_data.cards(workspace)}


@pytest.mark.parametrize("architecture", ["resnet18", "resnet50", "vgg16"])
def test_backbones_describe_what_there_is(architecture: str, tmp_path: Path) -> None:
    torch.manual_seed(1)
    path = tmp_path / "w.safetensors"
    save_file(network(architecture).state_dict(), path)
    backbone = Backbone("generic", architecture, path)
    images = np.random.default_rng(0).normal(size=(2, 40, 40)).astype(np.float32)
    images[1] = 0
    found = backbone(images, np.full(2, np.nan))
    assert found.shape[1] == (2048 if architecture == "resnet50" else 512)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), [1, 0], atol=1e-5)


def test_weights_that_do_not_fit_are_refused(tmp_path: Path, weights: Path) -> None:
    with pytest.raises(ConfigError, match="never downloaded"):
        read_weights("resnet18", tmp_path / "none.pth")
    with pytest.raises(ConfigError, match="not of a resnet50"):
        read_weights("resnet50", weights)
    with pytest.raises(ConfigError, match='no backbone "resnet19"'):
        read_weights("resnet19", weights)
    evil = tmp_path / "evil.pth"
    torch.save({"conv1.weight": subprocess.Popen}, evil)
    with pytest.raises(ConfigError, match="read safely"):
        read_weights("resnet18", evil)
    kept = load_file_of(weights, tmp_path)
    assert "fc.weight" not in kept


def load_file_of(weights: Path, folder: Path) -> dict[str, torch.Tensor]:
    with Workspace.init(folder / "other") as workspace:
        made = add(workspace, weights, backbone="resnet18")
        assert made.weights is not None
        return load_file(made.weights)


def test_features_of_two_models_are_joined(workspace: Workspace, weights: Path) -> None:
    add(workspace, weights, backbone="resnet18")
    recipe = PreparationRecipe(channels={"phase": 1})
    made = embed(workspace, "pfm", extractor="analytic+resnet18", recipe=recipe)
    assert (made["count"], made["new"], made["dimension"]) == (16, 16, 15)
    assert made["features"] == "analytic+resnet18:phase=1"
    ids, joined, parts = vectors(workspace, "pfm")
    assert parts == {"joined": (0, 15)}
    # All components are kept here, so distances are those of both models, of equal say.
    spreads = [spread_between(workspace, name, ids) for name in ("analytic", "resnet18")]
    both = np.square(joined[:, None] - joined).sum(2)
    np.testing.assert_allclose(both, spreads[0] + spreads[1], rtol=1e-3, atol=1e-3)
    assert embed(workspace, "pfm", extractor="analytic+resnet18", recipe=recipe)["new"] == 0
    fill(workspace, "pfm", {"late": [scan(40)]})
    row = next(row for row in workspace.select("pfm") if row.id not in ids)
    described = search(workspace, SearchRequest("pfm", ids=[row.id], k=5))
    assert embed(workspace, "pfm", extractor="analytic+resnet18", recipe=recipe)["new"] == 1
    stored = search(workspace, SearchRequest("pfm", ids=[row.id], k=5))
    assert [hit.id for hit in described] == [hit.id for hit in stored]
    np.testing.assert_allclose(
        [hit.distance for hit in described], [hit.distance for hit in stored], rtol=1e-3
    )
    assert "symmetry+resnet18" in {one.name for one in model_cards_data.cards(workspace)}
    tiled = embed(workspace, "pfm", extractor="analytic+resnet18", recipe=recipe, tiles=2)
    assert (tiled["new"], tiled["tiles"]) == (17, 2)
    hits = search(workspace, SearchRequest("pfm", ids=[row.id], roi="0,0,32,32", k=3))
    assert all(hit.region is not None for hit in hits)


def test_a_collection_that_is_not_there_is_refused(workspace: Workspace) -> None:
    with pytest.raises(NotFoundError, match="no collection"):
        model_cards_data.compare(workspace, collection="pmf")


def test_weights_are_added_where_a_damaged_card_or_an_interrupted_attempt_lies(
    workspace: Workspace, tmp_path: Path
) -> None:
    weights = tmp_path / "mine.safetensors"
    weights.write_bytes(SHIPPED.read_bytes())
    weights.with_suffix(".json").write_text("{half")
    (workspace.root / "models" / "mine").mkdir(parents=True)
    made = add(workspace, weights, name="mine")
    assert made.document["what"] == "weights of unknown origin"


@pytest.mark.parametrize("size", [1, 4, 7, 100])
def test_tiles_of_an_image_are_never_divided_between_results(size: int) -> None:
    keys = [Tile(f"{n:032x}", 3, 0, k).id.encode() for n in range(5) for k in range(3)]
    parts = list(_by_image(keys, size))
    assert [one for part in parts for one in part] == keys
    assert all(len(part) % 3 == 0 for part in parts)
    assert all(len(part) < size + 3 for part in parts)


def test_a_job_embeds_what_is_new(workspace: Workspace) -> None:
    config = '[jobs.nightly]\nrun = ["embed pfm --model analytic --tiles 2"]\n'
    (workspace.root / "motif.toml").write_text(config)
    with Workspace.open(workspace.root) as opened:
        first = run_job(opened, "nightly").counts
        fill(opened, "pfm", {"late": [scan(41)]})
        second = run_job(opened, "nightly").counts
    for counts, new in ((first, 16), (second, 1)):
        (counts_of,) = counts.values()
        assert (counts_of["new"], counts_of["of_tiles"][0]["new"]) == (new, new)


def spread_between(workspace: Workspace, name: str, ids: list[str]) -> np.ndarray:
    """Squared distances by one model, of total variance 1."""
    found = {}
    for one in workspace.ledger.all("embedding", "pfm", extractor=name):
        arrays = workspace.ledger.arrays(one)
        found |= zip(arrays["ids"].tolist(), arrays["vectors"], strict=True)
    rows = np.stack([found[each.encode()] for each in ids]).astype(np.float64)
    return np.square(rows[:, None] - rows).sum(2) / rows.var(0).sum()


def motif(workspace: Workspace, *words: str) -> subprocess.CompletedProcess[str]:
    command = [
        sys.executable,
        "-m",
        "motif.core.cli.command_line",
        *words,
        "--workspace",
        str(workspace.root),
    ]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_commands(workspace: Workspace, weights: Path) -> None:
    refused = motif(workspace, "embed", "pfm", "--backbone", "resnet18")
    assert refused.returncode != 0
    assert "never downloaded" in refused.stderr
    done = motif(
        workspace, "embed", "pfm", "--model", "analytic", "--backbone", "resnet18",
        "--weights", str(weights), "--channel", "phase=1", "--json",
    )  # fmt: skip
    assert json.loads(done.stdout)["features"] == "analytic+resnet18:phase=1"
    listed = json.loads(motif(workspace, "models", "list", "--json").stdout)["models"]
    assert {one["name"]: one["kind"] for one in listed}["resnet18"] == "backbone"
    assert motif(workspace, "models", "select", "analytic").returncode == 0
    refused = motif(workspace, "train", "symmetry", "--name", "analytic")
    assert 'There is a model "analytic" already' in refused.stderr
    assert "motif train symmetry" in motif(workspace, "models", "show", "symmetry").stdout
    assert "analytic and resnet18 share" in motif(workspace, "models", "compare").stdout
