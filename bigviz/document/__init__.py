"""Documents as data. The package can be called: `bigviz.document(...)` makes a document.

Importing any module in here binds the name `document` in `bigviz` to this package, in place of the function of that
name.
"""

import sys
from importlib import import_module
from types import ModuleType
from typing import Any


class _Callable(ModuleType):
    def __call__(self, *figures: Any, **options: Any) -> Any:
        return import_module("bigviz.document.document").document(*figures, **options)


sys.modules[__name__].__class__ = _Callable
