"""Orders on disk: built out of core from any dataset, and opened mapped.

Written into a folder, all as Arrow files of one column (docs/store.md): the keys, the row numbers, an axis's numbers or
the exceptions to what its keys give back, columns, far rows, fences, boxes and sums. Building takes the same memory
whatever the rows (about 0.6 GB), and continues where it was stopped: `plan.npz`, two journals and two spill files say
where.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bigviz.aggregate.spaces import space
from bigviz.common.errors import TooLarge, Unreadable
from bigviz.common.workers import Crew
from bigviz.common.xxh64 import sum_blocks
from bigviz.data.dataset import Dataset
from bigviz.tiles.grid.batches import Streamed
from bigviz.tiles.grid.order_spec import OrderSpec, far_of
from bigviz.tiles.morton.keys import Derived
from bigviz.tiles.morton.order import MOST_ROWS
from bigviz.tiles.store.files.column_file import ColumnFile, map_column, write_column
from bigviz.tiles.store.files.manifest import write_aside
from bigviz.tiles.store.files.survey_json import survey_facts
from bigviz.tiles.store.order.bucket_sort import Exceptions, sort_buckets
from bigviz.tiles.store.order.partition import Dealt, Files, partition
from bigviz.tiles.store.order.plan import Payload, Plan, axis_payload, column_payloads, load_plan, make_plan, save_plan
from bigviz.tiles.store.order.verify import Checks, Torn, check_order

__all__ = ["FACTS", "build_stored_order"]

Array = npt.NDArray[Any]

FACTS: Final = "order.json"
_PLAN: Final = "plan.npz"
_UNFINISHED: Final = (_PLAN, "partition.journal", "sorted.journal", "x.spill", "y.spill")
_STAGE: Final = "ordering rows"
_MOST_THREADS: Final = 8  # each has memory of its own: up to 170 MB while piles are sorted
_MOST_LABELS: Final = 1 << 12  # labels that are written down: more is no category that is shown


def build_stored_order(
    path: Path, dataset: Dataset, spec: OrderSpec, columns: Sequence[str], crew: Crew
) -> Mapping[str, Any]:
    """Write the order of a dataset's rows, with some columns, into a folder that exists; what it is, as JSON.

    Goes on with what an interrupted call with the same arguments left in the folder; the result is the same, byte for
    byte. Reads the rows three times, skewed ones or such with far rows more often. Raises what reading the dataset
    does, TooLarge from 2^32 - 1 rows on, OSError (a full disk at the start), Cancelled.
    """
    if dataset.num_rows >= MOST_ROWS:
        raise TooLarge(f"an order holds fewer than {MOST_ROWS:,} rows, got {dataset.num_rows:,}", "dataset")
    for _ in range(2):
        try:
            return _Build(path, dataset, spec, columns, crew).run()
        except Torn:  # the machine stopped while this was built: from the start
            for each in path.iterdir():
                if each.suffix == ".arrow" or each.name in _UNFINISHED:
                    each.unlink()
    raise Unreadable(f"What is written into {path} is not what can be read from it: check the disk.", got=str(path))


class _Build:
    def __init__(self, path: Path, dataset: Dataset, spec: OrderSpec, columns: Sequence[str], crew: Crew) -> None:
        self.path, self.dataset, self.spec = path, dataset, spec
        self.crew = replace(crew, threads=min(crew.threads, _MOST_THREADS))
        self.columns = list(dict.fromkeys(columns))
        spaces = space(spec.xaxis, "x"), space(spec.yaxis, "y")
        self.source = Streamed(dataset, (spec.x, spec.y), spaces, self.columns)

    def run(self) -> Mapping[str, Any]:
        done = self.path / FACTS
        if not done.exists():
            facts = self._write(self._plan())
            write_aside(done, json.dumps(facts).encode())
        for name in _UNFINISHED:
            (self.path / name).unlink(missing_ok=True)
        facts = json.loads(done.read_bytes())
        return dict(facts)

    def _step(self, start: float, stop: float) -> Crew:
        return self.crew.within(_STAGE, start, stop, self.source.rows)

    def _plan(self) -> Plan:
        bare = self.source.along(())
        plan = load_plan(self.path / _PLAN, bare)
        if plan is None:
            plan = make_plan(bare, far_of(self.spec.root), self._step(0.0, 0.2))
            save_plan(self.path / _PLAN, plan)
        return plan

    def _write(self, plan: Plan) -> dict[str, Any]:
        with ExitStack() as stack:
            files, rules = self._files(plan, stack)
            dealt = partition(self.source, plan, files, self.path, self._step(0.2, 0.5))
            exceptions = [self._exceptions(dealt, which, rule, stack) for which, rule in rules]
            sort_buckets(plan, dealt, files, exceptions, self.path, self._step(0.5, 0.9))
            checks = check_order(plan, dealt, files, self._step(0.9, 1.0))
            unused = self._unused(files)
            for file in files.all:
                file.finish()
            for each in exceptions:
                each.places.finish()
                each.values.finish()
        for payload in unused:
            (self.path / f"{payload.name}.arrow").unlink()
        return self._facts(plan, files, checks, unused)

    def _files(self, plan: Plan, stack: ExitStack) -> tuple[Files, list[tuple[int, Derived]]]:
        """All files of rows in order, and the rules of axes that are derived."""
        kept = [axis_payload(self.source, plan, which) for which in (0, 1)]
        payloads = [payload for payload in kept if payload is not None]
        for number, name in enumerate(self.columns):
            is_category = self.dataset.info(name).kind == "category"
            labels = len(self.dataset.labels(name, self.crew.cancel)) if is_category else None
            payloads += column_payloads(self.source, number, labels)
        rows, room = plan.survey.inside, plan.room

        def file(name: str, dtype: np.dtype[Any]) -> ColumnFile:
            return stack.enter_context(ColumnFile(self.path / f"{name}.arrow", dtype, rows, room))

        files = Files(
            file("keys", np.dtype(np.uint64)),
            file("rows", np.dtype(np.uint32)),
            tuple((payload, file(payload.name, payload.dtype)) for payload in payloads),
        )
        return files, [(which, rule) for which, rule in enumerate(plan.axes) if rule is not None]

    def _exceptions(self, dealt: Dealt, which: int, rule: Derived, stack: ExitStack) -> Exceptions:
        count = sum(int(run[-1] - run[0]) for run in dealt.runs[which])
        places = ColumnFile(self.path / f"{'xy'[which]}-places.arrow", np.dtype(np.uint32), count)
        values = ColumnFile(self.path / f"{'xy'[which]}-values.arrow", rule.dtype, count)
        stack.enter_context(places)
        stack.enter_context(values)
        return Exceptions(which, places, values, self.path / f"{'xy'[which]}.spill")

    def _unused(self, files: Files) -> list[Payload]:
        """Files of validity of columns without a null among these rows."""
        return [payload for payload, file in files.payloads if payload.part == "valid" and _all_ones(file)]

    def _facts(self, plan: Plan, files: Files, checks: Checks, unused: list[Payload]) -> dict[str, Any]:
        """Write the small files, and say what there is."""
        write_column(self.path / "fences.arrow", checks.fences)
        write_column(self.path / "boxes.arrow", checks.boxes.reshape(-1))
        write_column(self.path / "far.arrow", plan.far)
        small = ["boxes", "far"]
        for which, axis in enumerate("xy"):
            write_column(self.path / f"far-{axis}.arrow", plan.far_numbers[which])
            small += [f"far-{axis}", *([f"{axis}-places", f"{axis}-values"] if plan.axes[which] else [])]
        arrays: dict[str, dict[str, Any]] = {}
        sums: list[Array] = []
        at = 0
        rows = plan.survey.inside
        written = [(file.path.stem, file.dtype, rows, held) for file, held in zip(files.all, checks.sums, strict=True)]
        lost = {payload.name for payload in unused}
        for name, dtype, length, held in [*written, *(self._summed(name, plan) for name in small)]:
            if name not in lost:
                arrays[name] = {"dtype": dtype.name, "rows": length, "sums": [at, len(held)]}
                sums.append(held)
                at += len(held)
        write_column(self.path / "sums.arrow", np.concatenate(sums))
        axes = {axis: _axis_facts(rule) for axis, rule in zip("xy", plan.axes, strict=True)}
        return {
            "survey": survey_facts(plan.survey),
            "spaces": [self.spec.xaxis, self.spec.yaxis],
            **axes,
            "columns": self._column_facts(arrays),
            "arrays": arrays,
        }

    def _summed(self, name: str, plan: Plan) -> tuple[str, np.dtype[Any], int, Array]:
        dtypes: dict[str, np.dtype[Any]] = {
            "boxes": np.dtype(np.uint32),
            "far": plan.far.dtype,
            "far-x": plan.far_numbers[0].dtype,
            "far-y": plan.far_numbers[1].dtype,
        }
        for axis, rule in zip("xy", plan.axes, strict=True):
            if rule is not None:
                dtypes |= {f"{axis}-places": np.dtype(np.uint32), f"{axis}-values": rule.dtype}
        mapped = map_column(self.path / f"{name}.arrow", dtypes[name])
        return name, dtypes[name], len(mapped), sum_blocks(mapped)

    def _column_facts(self, arrays: Mapping[str, Any]) -> dict[str, Any]:
        facts: dict[str, Any] = {}
        for number, name in enumerate(self.columns):
            parts = {part: f"c{number}-{part}" for part in ("values", "valid", "codes")}
            facts[name] = {part: stem for part, stem in parts.items() if stem in arrays}
            if "codes" in facts[name]:
                labels = self.dataset.labels(name, self.crew.cancel)
                facts[name]["labels"] = labels if len(labels) <= _MOST_LABELS else None
        return facts


def _axis_facts(rule: Derived | None) -> dict[str, Any] | None:
    if rule is None:
        return None
    return {**asdict(rule), "dtype": rule.dtype.name, "width": rule.width.hex()}


def _all_ones(file: ColumnFile) -> bool:
    part = np.empty(1 << 20, np.uint8)
    for start in range(0, file.rows, len(part)):
        held = part[: file.rows - start]
        file.read(start, held)
        if not held.all():
            return False
    return True
