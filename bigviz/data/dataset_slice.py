"""A part of a dataset that is divided between processes, as a dataset of its own."""

from __future__ import annotations

from bigviz.common.cancel import NEVER, Cancel
from bigviz.common.progress import no_progress
from bigviz.data.columns.categories import LabelSet, Sorted
from bigviz.data.dataset import Dataset
from bigviz.data.formats.csv import CsvPart
from bigviz.data.remote.address import is_remote
from bigviz.data.sources.dask_frame import DaskFrameSource
from bigviz.data.sources.files import FilesSource
from bigviz.data.sources.partitions import PartitionsSource
from bigviz.data.sources.slice import SliceSource

__all__ = ["DatasetSlice", "frame_source", "is_divisible", "know_labels", "own_labels"]


class DatasetSlice(Dataset):
    """The pieces `first` to `stop` (exclusive) of `Dataset.chunks()`. Its row 0 is row `offset` of the whole.

    The labels of a category are those of the whole dataset: they have to be known (`know_labels`) before anything is
    read that needs them, since those of its own rows would mean others.
    """

    def __init__(self, whole: Dataset, first: int, stop: int) -> None:
        source = whole._source
        if isinstance(source, PartitionsSource):
            self.source: SliceSource | PartitionsSource = source.slice(first, stop)
        elif isinstance(source, FilesSource):
            self.source = SliceSource(source, first, stop)
        else:
            raise ValueError(f"{whole!r} is not made of files or partitions")
        super().__init__(whole.name, self.source, whole.origin)
        self._pieces = first, stop

    @property
    def pieces(self) -> tuple[int, int]:
        return self._pieces

    @property
    def offset(self) -> int:
        """The number that its first row has in the whole dataset."""
        return self.source.offset

    def knows_labels(self, name: str) -> bool:
        """Whether the labels of a category are known."""
        return self._named.plottable(name) in self._labels

    def _sorted(self, index: int, cancel: Cancel) -> Sorted:
        if index not in self._labels:
            raise ValueError(f"the labels of column {index} of {self!r} are not known")
        return self._labels[index]

    def _order_of(self, index: int, cancel: Cancel) -> Sorted | None:
        return self._sorted(index, cancel)


def own_labels(dataset: Dataset, name: str, cancel: Cancel = NEVER) -> Sorted:
    """The labels of a category that some row has, by a pass over the column; not kept. Raises as `Dataset.labels`."""
    index = dataset._named.plottable(name)
    found = LabelSet(dataset._named.info(index))
    dataset._source.read(dataset._named.own(index), found.add, no_progress, cancel)
    return found.finish()


def know_labels(dataset: Dataset, name: str, labels: Sorted) -> None:
    """Let a dataset take over the labels of a category that were found elsewhere, so that no pass has to find them."""
    dataset._labels.setdefault(dataset._named.plottable(name), labels)


def frame_source(dataset: Dataset) -> DaskFrameSource | None:
    """The partitions of a Dask DataFrame that a dataset was opened from; None for others."""
    return dataset._source if isinstance(dataset._source, DaskFrameSource) else None


def is_divisible(dataset: Dataset) -> bool:
    """Whether other processes can open the dataset and read some of its pieces: Parquet and Arrow files by path, which
    do not grow and are not empty, and Dask DataFrames. An address may hold secrets, which are not passed on."""
    source = dataset._source
    return isinstance(source, DaskFrameSource) or (
        isinstance(source, FilesSource)
        and dataset.origin is not None
        and not any(map(is_remote, dataset.origin.paths))
        and dataset.lineage is None
        and dataset.num_rows > 0
        and not any(isinstance(part, CsvPart) for part in source.parts)
    )
