"""Where the time goes from a pointer's move to a painted brush: what a page writes down, and what follows from it."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

__all__ = ["WATCH", "Drag", "drag_of"]

WATCH: Final = """() => {
  const seen = window.seen = { moves: [], sent: [], done: [], drawn: [] };
  const heard = (event) => event.buttons && seen.moves.push([event.timeStamp, performance.now()]);
  addEventListener("pointermove", heard, true);
  const { send } = WebSocket.prototype;
  WebSocket.prototype.send = function (data) {
    if (typeof data === "string" && data.includes('"op":"brush"')) {
      const { id, seq } = JSON.parse(data);
      seen.sent.push([id, seq, performance.now()]);
    }
    return send.call(this, data);
  };
  const [DONE, HEADER] = [6, 40];
  window.WebSocket = class extends WebSocket {
    constructor(...address) {
      super(...address);
      this.addEventListener("message", ({ data }) => {
        const head = new DataView(data);
        if (head.getUint8(4) !== DONE) return;
        const json = JSON.parse(new TextDecoder().decode(new Uint8Array(data, HEADER, head.getUint32(32, true))));
        if ("brush" in json) seen.done.push({ ...json, id: head.getUint32(8, true), at: performance.now() });
      });
    }
  };
  const { port1, port2 } = new MessageChannel(); // what it hands on is heard at the end of the frame
  port1.onmessage = ({ data }) => seen.drawn.push([...data, performance.now()]);
  new MutationObserver((records) => {
    for (const { target } of records) {
      const { figure, brush } = target.dataset;
      port2.postMessage([Number(figure), Number(brush ?? 0)]);
    }
  }).observe(document, { subtree: true, attributes: true, attributeFilter: ["data-brush"] });
}"""
"""Notes, in the page's milliseconds: `moves` when each was made and heard, `sent` steps by id and number, `done` their
ends and when these came, `drawn` figures by number, the step that each shows, and when it was drawn."""


@dataclass(frozen=True)
class Drag:
    """A drag in milliseconds. The stages of a move add up to it."""

    moves: list[float]
    stages: dict[str, list[float]]
    steps: int
    estimates: int
    updates: float
    """Updates a second."""


def drag_of(seen: dict[str, Any], targets: Sequence[int]) -> Drag:
    """What the notes of a page say of a drag that all `targets` have drawn."""
    sent = sorted((when, seq, id_) for id_, seq, when in seen["sent"])
    when_sent = [when for when, _, _ in sent]
    ends = {end["id"]: end for end in reversed(seen["done"])}  # the first one: an estimate is answered once more
    shown = list(_updates(seen["drawn"], targets))
    numbers = [number for number, _ in shown]
    by_number = {seq: (when, ends[id_]) for when, seq, id_ in sent if id_ in ends}
    moves: list[float] = []
    stages: dict[str, list[float]] = {}
    for made, heard in seen["moves"]:
        at = bisect_left(when_sent, heard)
        if at == len(sent):
            continue
        number, drawn = shown[bisect_left(numbers, sent[at][1])]
        left, end = by_number[number]
        moves.append(drawn - made)
        server = [end[f"{name}_us"] / 1e3 for name in ("queue", "kernel", "encode")]
        parts = {
            "waiting for the page": heard - made,
            "waiting to be sent": left - heard,
            "waiting in the server": server[0],
            "counting": server[1],
            "encoding": server[2],
            "sockets": end["at"] - left - sum(server),
            "drawing": drawn - end["at"],
        }
        for name, took in parts.items():
            stages.setdefault(name, []).append(took)
    seconds = (seen["moves"][-1][0] - seen["moves"][0][0]) / 1e3
    return Drag(moves, stages, len(shown), sum(not end["exact"] for end in ends.values()), len(shown) / seconds)


def _updates(drawn: list[list[float]], targets: Sequence[int]) -> Iterator[tuple[float, float]]:
    """The steps that all targets have drawn, or a later one, and when they had, ascending."""
    shown = dict.fromkeys(targets, 0.0)
    before = 0.0
    for figure, step, when in sorted(drawn, key=lambda each: each[2]):
        if figure in shown:
            shown[int(figure)] = step
        least = min(shown.values())
        if least > before:
            before = least
            yield least, when
