"""Integrated gradients: the slope from the average sample to each sample, instead of that at it.

Sundararajan, Taly & Yan, "Axiomatic attribution for deep networks" (ICML 2017), attribute
f(x) - f(x') to the inputs by (x - x') ∫ ∂f/∂x (x' + a (x - x')) da. The integral itself is a
gradient, averaged along the way, in the same units as the gradient at the sample.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from motif.analysis.composition.comparison import compare_with_truth
from motif.analysis.composition.ensemble import CHUNK, Ensemble
from motif.analysis.composition.gradients import (
    PER_ATOMIC_PERCENT,
    along_simplex,
    member_gradients,
)
from motif.analysis.composition.response import SpectralResponse, spectral_response
from motif.analysis.composition.samples import Samples
from motif.analysis.composition.study import Study, reload
from motif.analysis.composition.training import single_thread
from motif.core.catalog import Derivation
from motif.core.workspace import Workspace

STAGE = "integrated-gradients"
VERSION = 1
NODES = 8
"""Points of the Gauss-Legendre rule along the way."""

Array = NDArray[np.float64]


@dataclass(frozen=True)
class IntegratedGradients:
    """Averages along the way, over K members; composition in target units per at.%."""

    composition: Array
    """(K, n, E) partial."""
    spectrum: Array
    """(K, n, L) in target units per unit of normalised intensity."""
    total: Array
    """(K, n, E) total, along the simplex."""


def integrated_gradients(
    ensemble: Ensemble, samples: Samples, response: SpectralResponse, nodes: int = NODES
) -> IntegratedGradients:
    """Gradients averaged from the mean composition and spectrum to each sample."""
    n, elements = samples.composition.shape
    points = samples.spectra.shape[1]
    found = IntegratedGradients(
        *(np.zeros((ensemble.members, n, width)) for width in (elements, points, elements))
    )
    abscissae, weights = np.polynomial.legendre.leggauss(nodes)
    mean_spectrum, mean_composition = samples.spectra.mean(0), samples.composition.mean(0)
    like = ensemble.scaling.target_mean
    with single_thread(like.device):
        for start in range(0, n, CHUNK):
            part = slice(start, start + CHUNK)
            for share, weight in zip((abscissae + 1) / 2, weights / 2, strict=True):
                spectra = mean_spectrum + share * (samples.spectra[part] - mean_spectrum)
                at = mean_composition + share * (samples.composition[part] - mean_composition)
                _, by_composition, by_spectrum = (
                    value.double().cpu().numpy()
                    for value in member_gradients(
                        ensemble, torch.as_tensor(spectra).to(like), torch.as_tensor(at).to(like)
                    )
                )
                total = along_simplex(by_composition + response.chain(by_spectrum, at))
                found.composition[:, part] += weight * PER_ATOMIC_PERCENT * by_composition
                found.spectrum[:, part] += weight * by_spectrum
                found.total[:, part] += weight * PER_ATOMIC_PERCENT * total
    return found


def integrate(workspace: Workspace, study: Study) -> Derivation:
    """Integrated total gradients of a study's members, kept in the ledger.

    Arrays: ``ids`` (n,), ``gradient_mean``, ``gradient_std``, ``sign_agreement`` (n, E). The
    summary's ``truth`` compares them with the exact gradient as the study's own does.
    """
    started = time.monotonic()
    parameters = {"version": VERSION, "nodes": NODES}
    found = workspace.ledger.find(STAGE, parameters, [study.derivation.id])
    if found is not None:
        return found
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
        STAGE,
        study.derivation.collection,
        parameters,
        [study.derivation.id],
        arrays,
        summary,
        time.monotonic() - started,
    )
