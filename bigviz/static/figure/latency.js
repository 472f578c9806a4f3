// What each settled view cost, for the latency panel and for `performance.getEntriesByName("bigviz:view")`.

/**
 * One settled view of a figure; times in ms, `total` from the last input event to the end of the frame that drew the
 * last exact part.
 * @typedef {{figure: number, zx: number, zy: number, tiles: number, messages: number, total: number, queue: number,
 *   kernel: number, encode: number,
 *   wire: number, decode: number, paint: number, rows: number, bytes: number}} ViewCost */
/**
 * @typedef {{input: number, messages: number, queue: number, kernel: number, encode: number, wire: number, decode:
 *   number, rows: number, bytes: number}} Open
 */

const NAME = "bigviz:view";
/** Settled views that are remembered for the panel. */
const KEPT = 200;

/**
 * Collects the costs of each figure's current view. Events: `view` (CustomEvent, detail ViewCost) after each settled
 * view. A view that another input supersedes gives none.
 */
export class Latency extends EventTarget {
  /** @param {Pick<Performance, "now"|"measure">} [clock] */
  constructor(clock = performance) {
    super();
    this.clock = clock;
    /** Views that have not settled, by figure.  @type {Map<number, Open>} */ this.open = new Map();
    /** The newest settled views, oldest first.  @type {ViewCost[]} */ this.views = [];
  }

  /**
   * An input event changed the figure's view (or the page opened): the view before it is superseded.
   * @param {number} figure
   * @param {number} timeStamp event.timeStamp
   */
  input(figure, timeStamp) {
    this.open.set(figure, {
      input: timeStamp,
      messages: 0,
      queue: 0,
      kernel: 0,
      encode: 0,
      wire: 0,
      decode: 0,
      rows: 0,
      bytes: 0,
    });
  }

  /** A view request left.  @param {number} figure */
  sent(figure) {
    const open = this.open.get(figure);
    if (open) open.messages += 1;
  }

  /**
   * A tile or columns arrived and were decoded. Queue and wire keep the longest, the others add up; wire is what is
   * left of the time between request and arrival after queue, kernel and encoding of the answer itself.
   * @param {number} figure
   * @param {{cost: import("../wire/frames.js").Cost, sent: number, arrived: number, decode: number}} o decode in ms
   */
  arrived(figure, { cost, sent, arrived, decode }) {
    const open = this.open.get(figure);
    if (!open) return;
    const server = (cost.queue + cost.kernel + cost.encode) / 1000;
    open.queue = Math.max(open.queue, cost.queue / 1000);
    open.wire = Math.max(open.wire, arrived - sent - server);
    open.kernel += cost.kernel / 1000;
    open.encode += cost.encode / 1000;
    open.rows += cost.rows;
    open.bytes += cost.bytes;
    open.decode += decode;
  }

  /**
   * The frame that drew the view's last exact part has been drawn: measures it, once a view.
   * @param {number} figure
   * @param {{zx: number, zy: number, tiles: number, paint: number}} o levels, tiles shown, ms of drawing in that frame
   * @returns {ViewCost|null} null when no view of the figure was waiting
   */
  settled(figure, { zx, zy, tiles, paint }) {
    const open = this.open.get(figure);
    if (!open) return null;
    this.open.delete(figure);
    const { input, ...costs } = open;
    const end = Math.max(input, this.clock.now());
    this.clock.measure(NAME, { start: input, end, detail: { figure, zx, zy, tiles, messages: open.messages } });
    const view = { figure, zx, zy, tiles, total: end - input, paint, ...costs };
    this.views.push(view);
    if (this.views.length > KEPT) this.views.shift();
    this.dispatchEvent(new CustomEvent("view", { detail: view }));
    return view;
  }
}
