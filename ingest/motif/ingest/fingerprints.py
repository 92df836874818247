"""Fingerprints that can be distrusted.

A fingerprint is a base that follows from what the source sees, with ``~n`` once a full check has
distrusted it n times. Comparing looks at the base alone; a full check raises n, so that the
workspace reads the raw data again although nothing visible has changed.
"""

from __future__ import annotations


def same(fingerprint: str, base: str) -> bool:
    """Whether a remembered fingerprint has this base."""
    return fingerprint.partition("~")[0] == base


def keep(remembered: str, base: str) -> str:
    """The remembered fingerprint where its base still holds, else the new base."""
    return remembered if same(remembered, base) else base


def distrust(remembered: str, base: str) -> str:
    """A fingerprint of this base that differs from the remembered one."""
    if not base or not same(remembered, base):
        return base
    count = remembered.partition("~")[2]
    return f"{base}~{int(count) + 1 if count.isdigit() else 1}"
