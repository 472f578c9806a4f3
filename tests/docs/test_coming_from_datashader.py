"""The listings of docs/coming-from-datashader.md, in their order: what both sides compute is the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from datashader import core

from ..unoptimised import unoptimised
from .markdown import ROOT, listings

PAGE = ROOT / "docs" / "coming-from-datashader.md"


def test_both_sides_of_every_listing_are_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(core, "bypixel", unoptimised()(core.bypixel))
    names: dict[str, Any] = {}
    compared = 0
    for listing in listings(PAGE):
        names.pop("ours", None)
        names.pop("theirs", None)
        exec(compile(listing.text, f"{PAGE.name}:{listing.line}", "exec"), names)
        if "ours = " in listing.text:
            ours, theirs = names["ours"], names["theirs"]
            xr.testing.assert_identical(xr.DataArray(ours), xr.DataArray(theirs))
            assert ours.dtype == theirs.dtype and np.asarray(ours).any()
            compared += 1
    assert compared == 8
