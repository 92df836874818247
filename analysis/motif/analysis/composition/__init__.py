"""Composition and spectrum to performance, read through gradients (Umehara et al. 2019)."""
