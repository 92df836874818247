"""Conformance tests of readers, sources, extractors and stages, and data for tests.

Needs the extra ``testing`` (pytest, hypothesis); Motif itself imports only
`motif.core.testing.bivo4_truth`, which needs NumPy alone.
"""
