// What was asked of the server about layers and views, for as long as answers may come.

/** @typedef {import("./frames.js").Definition} Definition */
/**
 * The window that a view shows: half-open ends in axis space (decimal strings on axes of whole numbers), and its size
 * in device pixels.
 * @typedef {{x0: number|string, x1: number|string, y0: number|string, y1: number|string, width: number, height:
 *   number}} WindowAsked
 */
/**
 * One layer of a view: the tiles to send now and those to send after them, with the window that they show, or a line's
 * columns.
 * @typedef {{layer: number, definition: Definition, tiles?: number[][], prefetch?: number[][], window?: WindowAsked,
 *   roots?: import("./frames.js").LayerInfo["root"],
 *   columns?: {x0: number|string, x1: number|string, width: number}}} ViewLayer
 */
/** @typedef {{figure: number, view: boolean, layers: Map<number, ViewLayer>, sent: number}} Request */

/** Requests whose late answers are still recognised. */
const REMEMBERED = 256;

export class OpenRequests {
  constructor() {
    /** @type {Map<number, Request>} */ this.requests = new Map();
    /** The newest view of each figure.  @type {Map<number, number>} */ this.views = new Map();
    /** The newest `layer` request of each layer, by figure and layer.  @type {Map<string, number>} */
    this.abouts = new Map();
  }

  /** @param {number} id @param {{figure: number, layer: ViewLayer, sent: number}} asked */
  about(id, { figure, layer, sent }) {
    this.abouts.set(`${figure}/${layer.layer}`, id);
    this.#remember(id, { figure, view: false, layers: new Map([[layer.layer, layer]]), sent });
  }

  /** @param {number} id @param {{figure: number, layers: ViewLayer[], sent: number}} asked */
  view(id, { figure, layers, sent }) {
    this.views.set(figure, id);
    this.#remember(id, { figure, view: true, layers: new Map(layers.map((part) => [part.layer, part])), sent });
  }

  /** A view was held back until now.  @param {number} id @param {number} now */
  sent(id, now) {
    const request = this.requests.get(id);
    if (request) request.sent = now;
  }

  /** @param {number} figure @returns {boolean} it had a view that may still be answered */
  endView(figure) {
    return this.views.delete(figure);
  }

  /**
   * What a message answers.
   * @param {Exclude<import("./reassembler.js").Message, {type: "hello"|"changed"|"session"}>} message
   * @param {number} arrived
   */
  answered(message, arrived) {
    const request = this.requests.get(message.id);
    const asked = request?.layers.get(message.layer) ?? null;
    const newest = request?.view
      ? this.views.get(request.figure)
      : this.abouts.get(`${request?.figure}/${message.layer}`);
    const ends = (message.type === "layer" && message.json.index !== "building") || message.type === "error";
    if (ends && request && !request.view) this.requests.delete(message.id);
    return {
      definition: asked?.definition ?? null,
      asked,
      current: !request || newest === message.id,
      sent: request?.sent ?? arrived,
      arrived,
    };
  }

  clear() {
    this.requests.clear();
    this.views.clear();
    this.abouts.clear();
  }

  /** @param {number} id @param {Request} request */
  #remember(id, request) {
    this.requests.set(id, request);
    for (const old of this.requests.keys()) {
      if (this.requests.size <= REMEMBERED) break;
      if (this.requests.get(old)?.view) this.requests.delete(old);
      else break;
    }
  }
}
