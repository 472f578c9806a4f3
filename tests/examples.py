"""How many examples a property test tries."""

from hypothesis import settings


def examples(tested: int, fuzzed: int) -> int:
    """`tested` in `make test`, always the same ones; `fuzzed` in each round of `make fuzz`, with another seed."""
    return fuzzed if settings.get_current_profile_name() == "fuzz" else tested
