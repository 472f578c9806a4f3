"""The examples of property tests: fixed in `make test`, others in `make fuzz`."""

from __future__ import annotations

import ast
from pathlib import Path

from hypothesis import settings

from .examples import examples

HERE = Path(__file__).parent


def test_no_property_test_fixes_its_own_seed() -> None:
    """The profile does, so that `make fuzz` can try other examples of each."""
    words = {"derandomize", "database"}
    fixed = [
        f"{path.relative_to(HERE)}:{call.lineno}"
        for path in HERE.rglob("test_*.py")
        if any(word in (text := path.read_text()) for word in words)  # to parse them all takes 4 s
        for call in ast.walk(ast.parse(text))
        if isinstance(call, ast.Call) and words & {keyword.arg for keyword in call.keywords}
    ]
    assert fixed == []


def test_a_round_of_fuzzing_tries_more() -> None:
    kept = settings.get_current_profile_name()
    try:
        for profile, expected in (("bigviz", 60), ("fuzz", 300)):
            settings.load_profile(profile)
            assert examples(60, fuzzed=300) == expected
            assert settings().derandomize is (profile == "bigviz")
    finally:
        settings.load_profile(kept)
