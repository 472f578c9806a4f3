"""Runs the property tests with fresh seeds until the time is over: `python tools/fuzz.py [--minutes 10] [PATH...]`.

What fails is printed with its example, to be added to the test as `@example(...)`, and left out of later rounds. The
exit status is 1 if anything failed.
"""

from __future__ import annotations

import argparse
import random
import secrets
import time

import pytest


class _Round:
    """Runs tests in a random order, notes which of them fail, and ends the session when the time is over."""

    def __init__(self, seed: int, until: float) -> None:
        self.ran = 0
        self.failed: list[str] = []
        self._seed, self._until = seed, until

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        random.Random(self._seed).shuffle(items)  # a short run looks into other rooms than the last one did

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> object:
        result = yield
        self.ran += 1
        if time.monotonic() > self._until:
            item.session.shouldstop = "the time is over"
        return result

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed and report.nodeid not in self.failed:
            self.failed.append(report.nodeid)


def main() -> int:
    """Run rounds of all property tests until the minutes are over; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("paths", nargs="*", default=["tests"])
    asked = parser.parse_args()
    until, ran, failed = time.monotonic() + 60 * asked.minutes, 0, list[str]()
    options = ["-m", "hypothesis and not big", "--hypothesis-profile=fuzz", "-q", "--tb=short"]
    while time.monotonic() < until:
        seed = secrets.randbits(32)
        print(f"seed {seed}", flush=True)
        found = _Round(seed, until)
        without = [f"--deselect={each}" for each in failed]
        status = pytest.main([*asked.paths, *options, f"--hypothesis-seed={seed}", *without], plugins=[found])
        ran += found.ran
        failed += found.failed
        over = time.monotonic() >= until  # pytest takes that for an interruption
        if status not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED) and not over:
            return int(status)
    print(f"{ran} tests in {asked.minutes:g} minutes; failed: {', '.join(failed) or 'none'}")
    return int(bool(failed))


if __name__ == "__main__":
    raise SystemExit(main())
