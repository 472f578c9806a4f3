// Sockets through a MessagePort, for a page in a frame: whoever has the port's other end (a notebook's cell) carries
// them to a server, or is one. Each message names its socket: `{socket, open: true}`, `{socket, text}` and
// `{socket, close: true}` go out, `{socket, frame: ArrayBuffer}` and `{socket, close: [code, reason]}` come in. What
// would be fetched goes out as `{get: number, address, body}`, and comes in as `{got: number, status, body:
// ArrayBuffer}`.

/** @typedef {import("./connection.js").Socket} Socket */

/** Where the document is, for a page that has no address: what it asks below it goes through the port. */
export const HERE = "ws://cell.invalid/plot/ws";
const BELOW = "http://cell.invalid/plot/";
/** The states of WebSocket. */
const OPEN = 1;
const CLOSED = 3;

export class PortSockets {
  /** @param {MessagePort} port */
  constructor(port) {
    this.port = port;
    this.last = 0;
    /** @type {Map<number, PortSocket>} */ this.open = new Map();
    /** @type {Map<number, {resolve: (answer: Response) => void, reject: (reason: unknown) => void}>} */
    this.asked = new Map();
    port.addEventListener("message", ({ data }) => {
      if (data.got !== undefined) this.#answer(data);
      else this.open.get(data.socket)?.take(data);
    });
    port.start();
  }

  /**
   * As `fetch` below the document's address.
   * @param {Parameters<typeof fetch>[0]} address @param {RequestInit} [o] @returns {Promise<Response>}
   */
  get(address, { signal, body } = {}) {
    this.last += 1;
    const number = this.last;
    const answer = new Promise((resolve, reject) => {
      this.asked.set(number, { resolve, reject });
      signal?.addEventListener("abort", () => {
        if (this.asked.delete(number)) reject(signal.reason);
      });
    });
    const asked = { get: number, address: String(address).replace(BELOW, "") };
    this.port.postMessage(typeof body === "string" ? { ...asked, body } : asked);
    return answer;
  }

  /** @param {{got: number, status: number, body: ArrayBuffer}} message */
  #answer({ got, status, body }) {
    this.asked.get(got)?.resolve(new Response(body, { status }));
    this.asked.delete(got);
  }

  /** The other side has gone: fails whatever is still being fetched. */
  lose() {
    const asked = [...this.asked.values()];
    this.asked.clear();
    for (const { reject } of asked) reject(new TypeError("The connection was closed."));
  }

  /** A new connection. @returns {Socket} */
  make() {
    this.last += 1;
    const socket = new PortSocket(this, this.last);
    this.open.set(this.last, socket);
    this.port.postMessage({ socket: this.last, open: true });
    return socket;
  }
}

/** @implements {Socket} */
class PortSocket {
  /** @param {PortSockets} all @param {number} number */
  constructor(all, number) {
    this.all = all;
    this.number = number;
    /** @type {WebSocket["readyState"]} */ this.readyState = OPEN;
    /** @type {BinaryType} */ this.binaryType = "arraybuffer";
    /** @type {Socket["onopen"]} */ this.onopen = null;
    /** @type {Socket["onmessage"]} */ this.onmessage = null;
    /** @type {Socket["onclose"]} */ this.onclose = null;
    /** @type {Socket["onerror"]} */ this.onerror = null;
  }

  /** @param {Parameters<WebSocket["send"]>[0]} text */
  send(text) {
    if (this.readyState === OPEN) this.all.port.postMessage({ socket: this.number, text });
  }

  close() {
    if (this.readyState === OPEN) this.all.port.postMessage({ socket: this.number, close: true });
    this.#end();
  }

  /** @param {{frame?: ArrayBuffer, close?: [number, string]}} message */
  take({ frame, close }) {
    const { onmessage, onclose } = /** @type {Record<string, ((event: object) => void)|null>} */ (
      /** @type {unknown} */ (this)
    );
    if (frame) onmessage?.({ data: frame });
    if (!close) return;
    this.#end();
    this.all.lose();
    const [code, reason] = close;
    onclose?.({ code, reason });
  }

  #end() {
    this.readyState = CLOSED;
    this.all.open.delete(this.number);
  }
}
