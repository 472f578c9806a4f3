"""datashader without its compiler: its own functions, run by Python, which is faster for tables of a few rows."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any
from unittest import mock

import numpy as np
from numba.core import config

_NAME = "datashader"
_interpreted: dict[str, ModuleType] = {}  # its modules


@contextmanager
def interpreted() -> Iterator[Any]:
    """A second datashader, whose functions are not compiled.

    Its images are those of the compiled one where x and y have 64 bits: of narrower numbers Python keeps the width,
    where numba widens them. The project's own kernels may be called meanwhile, but none may be defined.
    """
    compiled = _taken_out()
    try:
        with mock.patch.object(config, "DISABLE_JIT", 1), np.errstate(all="ignore"):
            sys.modules.update(_interpreted)
            yield importlib.import_module(_NAME)
    finally:
        _interpreted.update(_taken_out())
        sys.modules.update(compiled)


def _taken_out() -> dict[str, ModuleType]:
    names = [name for name in sys.modules if name == _NAME or name.startswith(f"{_NAME}.")]
    return {name: sys.modules.pop(name) for name in names}
