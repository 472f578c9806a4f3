// What each settled view cost.
/** @typedef {{figure: number, zx: number, zy: number, tiles: number, messages: number, total: number, queue: number, kernel: number, encode: number, wire: number, decode: number, paint: number, rows: number, bytes: number}} ViewCost  times in ms */
/** Events: `view` {detail: ViewCost} after each settled view. */
export class Latency extends EventTarget {
  /** An input event changed the figure's view (or the page opened).  @param {number} figure @param {number} timeStamp event.timeStamp */
  input(figure, timeStamp) { void figure; void timeStamp; }
  /** A view request left.  @param {number} figure */
  sent(figure) { void figure; }
  /** A tile or columns arrived and were decoded.  @param {number} figure @param {{cost: import("./protocol.js").Cost, sent: number, arrived: number, decode: number}} o decode in ms */
  arrived(figure, o) { void figure; void o; }
  /** The animation frame that drew the last exact part has been drawn; one a view: nothing happens when no input waits.
   * @param {number} figure @param {{zx: number, zy: number, tiles: number, paint: number}} o paint: ms of drawing in that frame @returns {ViewCost|null} */
  settled(figure, o) { void figure; void o; return null; }
}
