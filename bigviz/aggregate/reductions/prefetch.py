"""A hint for kernels that go to places in no order: an element that is written soon is fetched meanwhile."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

__all__ = ["prefetch"]

_WRITE, _KEEP, _DATA = 1, 3, 1  # of LLVM's instruction: to be written, to stay in all caches, not a program


@intrinsic  # type: ignore[untyped-decorator]
def prefetch(typing: Any, array: Any, index: Any) -> Any:
    """`prefetch(array, index)`: have the element of a contiguous array in a core's cache soon. Nothing is read: an
    element that there is not does no harm."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        at = context.cast(builder, arguments[1], signature.args[1], types.intp)
        word, pointer = ir.IntType(32), ir.IntType(8).as_pointer()
        kind = ir.FunctionType(ir.VoidType(), [pointer, word, word, word])
        hint = builder.module.declare_intrinsic("llvm.prefetch", [pointer], kind)
        builder.call(hint, [builder.bitcast(builder.gep(data, [at]), pointer), word(_WRITE), word(_KEEP), word(_DATA)])
        return context.get_dummy_value()

    return types.void(array, index), generate
