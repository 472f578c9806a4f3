"""Hashes of passwords."""

from __future__ import annotations

from argon2 import extract_parameters

from bigviz.library.passwords import hashed, verified


def test_hashes_cost_what_rfc_9106_recommends():
    kept = hashed("pass word")
    found = extract_parameters(kept)
    assert (found.type.name, found.time_cost, found.memory_cost, found.parallelism) == ("ID", 3, 65_536, 4)
    assert verified(kept, "pass word") and not verified("no hash at all", "pass word")
