"""A control as the caller described it: `controls` makes it, a layout holds it, layers refer to it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from bigviz.common.errors import BadInput
from bigviz.document.controls.handlers import Function, handle
from bigviz.document.controls.spec import VALUED

__all__ = ["Control"]


@dataclass(eq=False)
class Control:
    """Made by `bigviz.select` and the others. `id` names it in filters, in addresses and in callbacks; None is given
    one in the document. `source` is the table that it is about and `figure` the figure, where there is one."""

    type: str
    id: str | None
    settings: dict[str, Any] = field(default_factory=dict)
    source: object = None
    figure: object = None

    def on_change(self, call: Function) -> Function:
        """Call `call(session, value)` when a viewer has given the control another value, in an app that
        `bigviz serve` runs; while it is dragged, with the newest. Also a decorator. Raises BadInput for a control that
        holds no value."""
        if self.type not in VALUED:
            raise BadInput(f"A {self.type} has no value that changes: on_change is for controls with one.", "on_change")
        return handle("change", self, call)

    def on_click(self, call: Function) -> Function:
        """Call `call(session, presses)` when a viewer presses the button, in an app that `bigviz serve` runs. Also a
        decorator. Raises BadInput for any other control."""
        if self.type != "button":
            raise BadInput(f"on_click is for buttons, got a {self.type}: take on_change.", "on_click", self.type)
        return handle("click", self, call)
