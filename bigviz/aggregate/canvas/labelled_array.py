"""The cells of an image as an array of xarray's, with the coordinates of their centres."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr
from xarray.indexes import PandasIndex

__all__ = ["labelled_array"]

Array = npt.NDArray[Any]


def labelled_array(
    values: Array, coords: Mapping[str, Array], dims: tuple[str, ...], attrs: dict[str, Any]
) -> xr.DataArray:  # fmt: skip
    """`xarray.DataArray` of values whose dimensions all have coordinates, of numbers or times and of the right lengths.

    xarray is not asked to see to that, which takes it most of a millisecond: as long as all else of a small window.
    """
    variables: dict[str, Any] = {}
    indexes: dict[str, Any] = {}
    for name, centres in coords.items():
        indexes[name] = PandasIndex(pd.Index(centres, name=name, copy=False), name)
        variables |= indexes[name].create_variables()
    return xr.DataArray(xr.Variable(dims, np.asarray(values), attrs), variables, indexes=indexes, fastpath=True)
