"""Provenance: what every derived result was computed from, by which stage, and how to repeat it.

`stages` lists the kinds of computation, `ledger` stores their results, `taint` finds those that
rest on records marked with an error, `rebuild_commands` names the commands that replace them.
"""
