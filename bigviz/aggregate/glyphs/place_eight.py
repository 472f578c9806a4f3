"""The cells of eight points at a time, in vectors that are written down as such: a loop that adds rows to their cells
places others between, while it waits for memory."""

from __future__ import annotations

from typing import Any, Final

from llvmlite import ir
from numba.core import types
from numba.core.errors import TypingError
from numba.extending import intrinsic

__all__ = ["EIGHT", "place_eight"]

EIGHT: Final = 8
_WORD: Final = ir.IntType(32)
_WORDS: Final = ir.VectorType(_WORD, EIGHT)
_DOUBLES: Final = ir.VectorType(ir.DoubleType(), EIGHT)
_LANES: Final = ir.Constant(_WORDS, list(range(EIGHT)))
_ZEROS: Final = ir.Constant(_WORDS, [0] * EIGHT)


class _Builder:
    """Writes LLVM's instructions for eight rows."""

    def __init__(self, context: Any, builder: Any) -> None:
        self.context, self.builder = context, builder

    def place(self, x: Any, y: Any, sides: Any, edges: Any) -> tuple[Any, Any]:
        """The cells of rows, and which of them are inside: `Sides` and `Edges` as structs."""
        width, height = self.field(sides, 8), self.field(sides, 9)
        column = self._bin(x, self.field(sides, 2), self.field(sides, 3), width)
        row = self._bin(y, self.field(sides, 6), self.field(sides, 7), height)
        inside = self.builder.and_(self._within(x, edges, 0), self._within(y, edges, 2))
        return self.builder.add(self.builder.mul(row, self.words(width)), column), inside

    def load(self, array: Any, kind: Any, at: Any) -> Any:
        """Eight elements of a contiguous array."""
        data = self._at(array, kind, at)
        loaded = self.builder.load(self.builder.bitcast(data, ir.VectorType(data.type.pointee, EIGHT).as_pointer()))
        loaded.align = kind.dtype.bitwidth // 8
        return loaded

    def store(self, words: Any, array: Any, kind: Any, at: Any) -> None:
        data = self.builder.bitcast(self._at(array, kind, at), _WORDS.as_pointer())
        self.builder.store(words, data).align = kind.dtype.bitwidth // 8

    def field(self, struct: Any, at: int) -> Any:
        return self.builder.extract_value(struct, at)

    def words(self, number: Any) -> Any:
        """An integer as eight int32."""
        return self._splat(self.builder.trunc(number, _WORD))

    def narrow(self, numbers: Any, signed: bool) -> Any:
        """Eight integers of any width as int32."""
        bits = numbers.type.element.width
        if bits == _WORD.width:
            return numbers
        if bits > _WORD.width:
            return self.builder.trunc(numbers, _WORDS)
        return (self.builder.sext if signed else self.builder.zext)(numbers, _WORDS)

    def _at(self, array: Any, kind: Any, at: Any) -> Any:
        return self.builder.gep(self.context.make_array(kind)(self.context, self.builder, array).data, [at])

    def _bin(self, numbers: Any, scale: Any, shift: Any, size: Any) -> Any:
        """`trunc(number * scale + shift)` in float64, from 0 to `size - 1`."""
        b = self.builder
        wide = numbers if numbers.type == _DOUBLES else b.fpext(numbers, _DOUBLES)
        chosen = b.fptosi(b.fadd(b.fmul(wide, self._splat(scale)), self._splat(shift)), _WORDS)
        last = b.sub(self.words(size), ir.Constant(_WORDS, [1] * EIGHT))
        chosen = b.select(b.icmp_signed("<", chosen, _ZEROS), _ZEROS, chosen)
        return b.select(b.icmp_signed(">", chosen, last), last, chosen)

    def _within(self, numbers: Any, edges: Any, at: int) -> Any:
        low, high = self._splat(self.field(edges, at)), self._splat(self.field(edges, at + 1))
        compare = self.builder.fcmp_ordered
        return self.builder.and_(compare("<=", low, numbers), compare("<=", numbers, high))

    def _splat(self, number: Any) -> Any:
        none = ir.Constant(ir.VectorType(number.type, EIGHT), ir.Undefined)
        return self.builder.shuffle_vector(self.builder.insert_element(none, number, _WORD(0)), none, _ZEROS)


@intrinsic  # type: ignore[untyped-decorator]
def place_eight(
    typing: Any, x: Any, y: Any, known: Any, codes: Any, at: Any, sides: Any, edges: Any, target: Any, out: Any, to: Any
) -> Any:
    """Write the cells of the rows `at` to `at + 7` to `out[to]` (int32) and on, as `place` does with the spare cells of
    a `Target`.

    Rows whose value in `known` is NaN are in no cell, and with `codes` of categories a cell is
    `cell * categories + code`; None stands for neither.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        b, kinds = _Builder(context, builder), signature.args
        sides, edges, target = arguments[5:8]
        columns = [
            None if kind == types.none else b.load(each, kind, arguments[4])
            for each, kind in zip(arguments[:4], kinds[:4], strict=True)
        ]
        cell, inside = b.place(columns[0], columns[1], sides, edges)
        if isinstance(getattr(kinds[2], "dtype", None), types.Float):  # no integer is NaN
            inside = builder.and_(inside, builder.fcmp_ordered("ord", columns[2], columns[2]))
        if columns[3] is not None:
            codes, count = b.narrow(columns[3], kinds[3].dtype.signed), b.words(b.field(target, 1))
            inside = builder.and_(inside, builder.icmp_unsigned("<", codes, count))
            cell = builder.add(builder.mul(cell, count), codes)
        none = builder.add(b.words(b.field(target, 2)), builder.and_(_LANES, b.words(b.field(target, 3))))
        b.store(builder.select(inside, cell, none), arguments[8], kinds[8], arguments[9])
        return context.get_dummy_value()

    if any(getattr(kind, "layout", "C") != "C" for kind in (x, y, known, codes, out)):
        raise TypingError("place_eight reads contiguous arrays")
    return types.void(x, y, known, codes, types.intp, sides, edges, target, out, types.intp), generate
