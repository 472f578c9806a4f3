// The websocket: requests out, messages in, reconnecting.
/**
 * Events (CustomEvent, `detail`): `hello` HelloMessage; `layer`, `progress`, `tile`, `columns`, `done`, `error`: `Answer` = the message plus
 * `definition` (of that layer in the request it answers, so answers to a definition since replaced are told apart), `current` (its view is still
 * the figure's newest) and `sent`, `arrived` (performance.now()); `changed` ChangedMessage; `down` {inMs, attempt, code, reason, final} (final: no more
 * attempts; inMs counts down to the next); `up` {again, restarted} after every hello (again: not the first; the page resends what it needs).
 * @typedef {{figure: number, layers: ViewLayer[]}} ViewRequest
 * @typedef {{layer: number, definition: import("./protocol.js").Definition, tiles?: number[][], prefetch?: number[][],
 *   columns?: {x0: number|string, x1: number|string, width: number}}} ViewLayer
 */
export class Connection extends EventTarget {
  /** @param {string} url ws(s) address @param {{socket?: (url: string) => WebSocket, random?: () => number, now?: () => number}} [o] */
  constructor(url, o = {}) {
    super();
    this.url = url;
    this.o = o;
    /** messages sent since the page was opened */ this.sent = 0;
    /** true between hello and the loss of the socket */ this.isUp = false;
  }
  /** Connects (again): also the "Retry now" button. */
  open() {}
  /** Closes for good; call it on `pagehide`. open() undoes it (`pageshow`). */
  close() {}
  /** Asks what a layer is.  @param {number} figure @param {number} layer @param {import("./protocol.js").Definition} definition @returns {number} request id */
  layer(figure, layer, definition) { void figure; void layer; void definition; return 0; }
  /** The figure's new view; held back (newest kept) while the rate limit is used up.  @param {number} figure @param {ViewLayer[]} layers @returns {number} id */
  view(figure, layers) { void figure; void layers; return 0; }
  /** Drops what the figure still waits for.  @param {number} figure */
  cancel(figure) { void figure; }
}
