"""Integrated gradients: the slope from the average sample to each sample, not the slope at it.

Sundararajan, Taly & Yan, "Axiomatic attribution for deep networks" (ICML 2017), attribute
f(x) - f(x') to the inputs by (x - x') ∫ ∂f/∂x (x' + a (x - x')) da. The integral itself is a
gradient averaged over the path, in the same units as the gradient at the sample.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from motif.analysis.arrays import FloatArray
from motif.analysis.composition.datasets.composition_library import Samples
from motif.analysis.composition.gradients.gradient_truth import compare_with_truth
from motif.analysis.composition.gradients.performance_gradients import (
    PER_ATOMIC_PERCENT,
    SpectralResponse,
    along_simplex,
    member_gradients,
    spectral_response,
)
from motif.analysis.composition.regression.ensemble import CHUNK, NetworkEnsemble
from motif.analysis.composition.regression.member_training import single_thread
from motif.analysis.composition.study.composition_study import CompositionStudy, reload

if TYPE_CHECKING:
    from motif.core.catalog.database import Derivation
    from motif.core.workspace import Workspace

INTEGRATED_STAGE = "integrated-gradients"
INTEGRATED_VERSION = 1
NODES = 8
"""Points of the Gauss-Legendre rule between the mean and a sample."""


@dataclass(frozen=True)
class IntegratedGradients:
    """Gradients averaged over the path, by member; composition in target units per at.%."""

    composition: FloatArray
    """(K, n, E) partial."""
    spectrum: FloatArray
    """(K, n, L) in target units per unit of normalised intensity."""
    total: FloatArray
    """(K, n, E) total, along the simplex."""


def integrated_gradients(
    ensemble: NetworkEnsemble, samples: Samples, response: SpectralResponse, nodes: int = NODES
) -> IntegratedGradients:
    """Gradients averaged from the mean composition and spectrum to each sample."""
    n, elements = samples.composition.shape
    points = samples.spectra.shape[1]
    composition, spectrum, total = (
        np.zeros((ensemble.members, n, width)) for width in (elements, points, elements)
    )
    abscissae, weights = np.polynomial.legendre.leggauss(nodes)
    mean_spectrum, mean_composition = samples.spectra.mean(0), samples.composition.mean(0)
    like = ensemble.scaling.target_mean
    with single_thread(like.device):
        for start in range(0, n, CHUNK):
            rows = slice(start, start + CHUNK)
            for share, weight in zip((abscissae + 1) / 2, weights / 2, strict=True):
                spectra = mean_spectrum + share * (samples.spectra[rows] - mean_spectrum)
                at = mean_composition + share * (samples.composition[rows] - mean_composition)
                _, by_composition, by_spectrum = (
                    value.double().cpu().numpy()
                    for value in member_gradients(
                        ensemble, torch.as_tensor(spectra).to(like), torch.as_tensor(at).to(like)
                    )
                )
                along = along_simplex(by_composition + response.chain(by_spectrum, at))
                composition[:, rows] += weight * PER_ATOMIC_PERCENT * by_composition
                spectrum[:, rows] += weight * by_spectrum
                total[:, rows] += weight * PER_ATOMIC_PERCENT * along
    return IntegratedGradients(composition, spectrum, total)


def integrate(workspace: Workspace, study: CompositionStudy) -> Derivation:
    """Integrated total gradients of a study's members, stored in the ledger.

    Arrays: ``ids`` (n,), ``gradient_mean``, ``gradient_std``, ``sign_agreement`` (n, E). The
    summary's ``truth`` compares them with the exact gradient, as the study does with its own.
    """
    started = time.monotonic()
    parameters = {"version": INTEGRATED_VERSION, "nodes": NODES}
    known = workspace.ledger.find(INTEGRATED_STAGE, parameters, [study.derivation.id])
    if known is not None:
        return known
    prepared, ensemble = reload(workspace, study)
    samples = prepared.samples
    response = spectral_response(samples.spectra, samples.composition)
    total = integrated_gradients(ensemble, samples, response).total
    mean, std = total.mean(0), total.std(0)
    agreement = (np.sign(total) == np.sign(mean)).mean(0)
    summary = {
        "target": prepared.target_name,
        "unit": study.derivation.summary["units"]["gradient_composition"],
        "members": ensemble.members,
        "simulated": prepared.simulated,
        "truth": None,
    }
    if "gradient_true" in study.arrays:
        summary["truth"] = compare_with_truth(mean, study.arrays["gradient_true"], std, agreement)
    arrays = {
        "ids": study.arrays["ids"],
        "gradient_mean": mean,
        "gradient_std": std,
        "sign_agreement": agreement,
    }
    return workspace.ledger.record(
        INTEGRATED_STAGE,
        study.derivation.collection,
        parameters,
        [study.derivation.id],
        arrays,
        summary,
        time.monotonic() - started,
    )
