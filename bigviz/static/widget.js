// A plot in a notebook's cell, for anywidget: the page in a frame, and what goes through its port carried over the
// widget's channel. It runs in the notebook's page, from a text, so it imports nothing.
//
// Custom messages to Python: `{view, page: true}`, `{view, socket, open: true}`, `{view, socket, text}`,
// `{view, socket, took: bytes}`, `{view, socket, close: true}`, `{view, get: number, address}`, `{view, alive: true}`
// and `{view, gone: true}`. From Python: `{view, page: true}` with the page, `{view, socket}` with a frame,
// `{view, socket, close: [code, reason]}` and `{view, got: number, status}` with the answer.

/**
 * @typedef {{send: (content: object) => void, on: (event: string, heard: Function) => void,
 *   off: (event: string, heard: Function) => void, get: (name: string) => any,
 *   set: (name: string, value: any) => void, save_changes: () => void}} Model
 */

/** Bytes of frames after which Python hears that they came. */
const TOOK = 1 << 20;
/** Python ends what it holds for a view of which it hears nothing for some minutes. */
const ALIVE_MS = 60_000;
const GONE = 4001;

export default {
  /** @param {{model: Model, el: HTMLElement}} o @returns {() => void} */
  render({ model, el }) {
    const cell = new Cell(model, el);
    return () => cell.end();
  },
};

/** One place where the plot stands; the same plot may stand in several. */
class Cell {
  /** @param {Model} model @param {HTMLElement} el */
  constructor(model, el) {
    this.model = model;
    this.view = Math.random().toString(36).slice(2);
    /** @type {MessagePort|null} */ this.port = null;
    /** Open sockets, with the bytes that came since Python heard of them.  @type {Map<number, number>} */
    this.sockets = new Map();
    this.dead = false;
    this.frame = document.createElement("iframe");
    this.frame.title = "Plot";
    this.frame.allow = "fullscreen; clipboard-write";
    this.frame.style.cssText = "display: block; width: 100%; border: 0; color-scheme: normal";
    this.#size();
    el.append(this.frame);
    /** @type {"light"|"dark"} */ this.theme = "light";
    this.ending = new AbortController();
    addEventListener("message", (event) => this.#hear(event), { signal: this.ending.signal });
    this.watching = new MutationObserver(() => this.#wear());
    for (const root of [document.documentElement, document.body]) this.watching.observe(root, { attributes: true });
    this.heard = (/** @type {any} */ content, /** @type {DataView[]} */ buffers) => this.#take(content, buffers);
    this.resized = () => this.#size();
    this.lost = () => this.#die();
    model.on("msg:custom", this.heard);
    model.on("change:height", this.resized);
    model.on("comm:close", this.lost);
    model.on("comm_live_update", this.lost);
    this.beating = setInterval(() => this.#say({ alive: true }), ALIVE_MS);
    this.#say({ page: true });
  }

  /** The view is taken away: nothing of it is left, here and in Python. */
  end() {
    this.#say({ gone: true });
    clearInterval(this.beating);
    this.ending.abort();
    this.watching.disconnect();
    this.model.off("msg:custom", this.heard);
    this.model.off("change:height", this.resized);
    this.model.off("comm:close", this.lost);
    this.model.off("comm_live_update", this.lost);
    this.port?.close();
    this.frame.remove();
  }

  /** @param {object} content */
  #say(content) {
    if (!this.dead) this.model.send({ view: this.view, ...content });
  }

  /** Python, and with it the plot, has ended. */
  #die() {
    this.dead = true;
    clearInterval(this.beating);
    const close = [GONE, "The kernel no longer has this plot: run the cell again."];
    for (const socket of this.sockets.keys()) this.port?.postMessage({ socket, close });
  }

  /** From Python.  @param {any} content @param {DataView[]} buffers */
  #take({ view, page, socket, close, got, status }, buffers) {
    if (view !== this.view) return;
    if (page) this.frame.srcdoc = new TextDecoder().decode(buffers[0]);
    else if (close) {
      this.sockets.delete(socket);
      this.port?.postMessage({ socket, close });
    } else if (got !== undefined) {
      const body = bytesOf(buffers[0]);
      this.port?.postMessage({ got, status, body }, [body]);
    } else if (this.sockets.has(socket)) {
      const frame = bytesOf(buffers[0]);
      const took = (this.sockets.get(socket) ?? 0) + frame.byteLength;
      this.port?.postMessage({ socket, frame }, [frame]);
      this.sockets.set(socket, took < TOOK ? took : 0);
      if (took >= TOOK) this.#say({ socket, took });
    }
  }

  /** The frame has loaded, perhaps again, as when its cell was moved.  @param {MessageEvent} event */
  #hear({ source, data }) {
    if (source !== this.frame.contentWindow || data !== "bigviz:ready") return;
    for (const socket of this.sockets.keys()) this.#say({ socket, close: true });
    this.sockets.clear();
    this.port?.close();
    const { port1, port2 } = new MessageChannel();
    this.port = port1;
    port1.onmessage = ({ data: told }) => this.#carry(told);
    const hash = this.model.get("_hash");
    this.theme = themeAt(this.frame); // before, the output may stand nowhere yet
    /** @type {Window} */ (source).postMessage({ bigviz: "port", hash, theme: this.theme }, "*", [port2]);
  }

  /** From the frame.  @param {any} told */
  #carry({ socket, open, text, close, hash, views, get, address, body }) {
    if (hash !== undefined) this.#keep("_hash", hash);
    else if (views) this.#keep("_views", views);
    else if (this.dead) this.#die();
    else if (get !== undefined) this.#say(body === undefined ? { get, address } : { get, address, body });
    else if (open) {
      this.sockets.set(socket, 0);
      this.#say({ socket, open });
    } else if (text !== undefined) this.#say({ socket, text });
    else if (close && this.sockets.delete(socket)) this.#say({ socket, close });
  }

  /** @param {string} name @param {any} value */
  #keep(name, value) {
    if (this.dead) return;
    this.model.set(name, value);
    this.model.save_changes();
  }

  #size() {
    this.frame.style.height = `${this.model.get("height")}px`;
  }

  #wear() {
    const theme = themeAt(this.frame);
    if (theme === this.theme) return;
    this.theme = theme;
    this.port?.postMessage({ theme });
  }
}

/** A copy, which can be handed over.  @param {DataView} view @returns {ArrayBuffer} */
function bytesOf({ buffer, byteOffset, byteLength }) {
  return /** @type {ArrayBuffer} */ (buffer.slice(byteOffset, byteOffset + byteLength));
}

/**
 * Whether an element stands on a dark ground, whatever the notebook calls its theme.
 * @param {Element|null} element @returns {"light"|"dark"}
 */
function themeAt(element) {
  for (let at = element; at; at = at.parentElement) {
    const [r, g, b, a = 1] = (getComputedStyle(at).backgroundColor.match(/[\d.]+/g) ?? []).map(Number);
    if (b !== undefined && a > 0.5) return 0.3 * r + 0.6 * g + 0.1 * b < 128 ? "dark" : "light";
  }
  return matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
}
