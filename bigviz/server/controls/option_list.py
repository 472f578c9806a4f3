"""The route of options that are a column's values: `/D/controls/ID/options.json`."""

from __future__ import annotations

import hashlib

from bigviz.common.errors import NotFound
from bigviz.document.controls.spec import ColumnOptions
from bigviz.server.access.gate import Need
from bigviz.server.controls.options import options_answer, read_options
from bigviz.server.http.base import Handler
from bigviz.server.open_datasets import dataset_of

__all__ = ["OptionList"]


class OptionList(Handler):
    """What a control offers of a column, of the newest version of its dataset: rows that were appended may have brought
    other labels."""

    need = Need.shown()

    async def answer(self, *args: str) -> None:
        name, control = args
        shown = await self.site.show(name, self.principal)
        document = shown.document
        spec = document.controls.get(control)
        if spec is None or not isinstance(spec.options, ColumnOptions):
            asked = control[:60]
            raise NotFound(f"Document {name!r} has no control {asked!r} with the values of a column.", "control", asked)
        await read_options(document, shown.usage)
        dataset = dataset_of(document, spec.options.dataset)
        key = (control, spec.options, dataset.fingerprint, dataset.version)
        self.set_header("X-Bigviz-Version", dataset.version)
        if not self.same(hashlib.blake2b(repr(key).encode(), digest_size=16).hexdigest()):
            self.write_json({**options_answer(document)[control], "version": dataset.version})
        self.finish()
