"""A disk that is quick."""

from __future__ import annotations

import os

import pytest


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """No power is cut, so nothing waits for the disk."""
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)
