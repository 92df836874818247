"""Conformance tests that a contract ships, to subclass, and truths that tests compare with.

Needs the ``test`` extra (pytest, hypothesis); nothing here is imported by Motif at work except
`motif.core.testing.truth`, which needs NumPy alone.
"""
