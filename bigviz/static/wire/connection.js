// The websocket: requests out, messages in, reconnecting after a loss. The page decides what to request again
// afterwards.

import { MessageBudget } from "./message-budget.js";
import { OpenRequests } from "./open-requests.js";
import { Reassembler } from "./reassembler.js";
import { BrushGroup } from "./brush-group.js";
import { UpdateGroup } from "./update-group.js";
import {
  DENIED,
  GONE,
  MALFORMED,
  OTHER_VERSION,
  parseFrame,
  ProtocolError,
  RESTART,
  UNUSABLE,
  VERSION,
} from "./frames.js";

/** @typedef {import("./reassembler.js").Limits} Limits */
/** @typedef {import("./frames.js").Definition} Definition */
/** @typedef {import("./reassembler.js").Message} Message */
/** @typedef {import("./open-requests.js").ViewLayer} ViewLayer */
/**
 * The detail of `layer`, `progress`, `tile`, `columns`, `done` and `error`: the message, and of the request that it
 * answers: `definition` of the message's layer (null where unknown: an error with id 0), `asked` (its part of a view),
 * `current` (it is the newest view of its figure, or the newest request about its layer), `sent` and `arrived`
 * (performance.now()).
 * @template {Message} [T=Message]
 * @typedef {T & {definition: Definition|null, asked: ViewLayer|null, current: boolean, sent: number, arrived: number}}
 *   Answer
 */
/** @typedef {{inMs: number, attempt: number, code: number, reason: string, final: boolean}} Down */
/** @typedef {{text: string, id: number}} Held */

/**
 * The part of WebSocket that is used.
 * @typedef {Pick<WebSocket, "send"|"close"|"readyState"|"binaryType"|"onopen"|"onmessage"|"onclose"|"onerror">} Socket
 */

const FIRST_DELAY = 500;
/** ms; for a server that asks to reconnect, and is there. */
const INVITED_DELAY = 100;
const LONGEST_DELAY = 30_000;
/** A connection that lasted this long resets the back-off. */
const STEADY = 5_000;
const HELLO_TIMEOUT = 20_000;
/** The server's limits come with its hello; nothing is sent before.  @type {Limits} */
const NONE = Object.freeze({
  messages_per_second: 0,
  messages_burst: 0,
  layers_per_view: 0,
  tiles_per_view: 0,
  columns_width: 1,
  image_side: 1,
  rows: 0,
});
/** What may come before hello: how far the document's files are read, and why its script failed. */
const FIRST = new Set(["hello", "progress", "error"]);

/** Connecting again would not help. */
const FINAL = new Set([GONE, DENIED, UNUSABLE, OTHER_VERSION]);

/**
 * Events (CustomEvent): `hello` (detail HelloMessage), then `up` ({again, restarted}: not the first hello; the server
 * is another one than before, so versions may differ); `reading` (ProgressMessage's json: the server still reads files,
 * before hello); `layer`, `progress`, `tile`, `columns`, `done`, `error` (Answer); `changed` (ChangedMessage); `update`
 * (WholeUpdate: data have grown; what comes later is of their new versions); `unfollowed` (ErrorMessage about what the
 * page follows); `session` (SessionMessage's json: what an app has changed); `brushed` (a step of a brush); `down`
 * (Down: the next attempt comes in `inMs`; `final`: there will be none).
 */
export class Connection extends EventTarget {
  /**
   * @param {string} url ws or wss address
   * @param {{socket?: (url: string) => Socket, get?: typeof fetch, random?: () => number, now?: () => number}} [o] how
   *   the page reaches its server, where it has no address beside it: the socket, and what stands next to it
   */
  constructor(
    url,
    {
      socket = (address) => new WebSocket(address),
      get = (...request) => fetch(...request),
      random = Math.random,
      now = () => performance.now(),
    } = {},
  ) {
    super();
    this.url = url;
    /** The session that the page had, by its id: the next connection goes on with it.  @type {string|null} */
    this.resumes = null;
    this.get = get;
    this.makeSocket = socket;
    this.random = random;
    this.now = now;
    /** messages sent since the page was opened */ this.sent = 0;
    /** true between hello and the loss of the socket */ this.isUp = false;
    /** @type {Socket|null} */ this.socket = null;
    this.lastId = 0;
    this.epoch = 0;
    this.attempt = 0;
    this.upSince = 0;
    this.sequence = 0;
    this.reassembler = new Reassembler();
    this.group = new UpdateGroup();
    this.brushes = new BrushGroup();
    /** What is sent once the page has caught up with its data.  @type {string[]|null} */ this.waitingTexts = null;
    this.asked = new OpenRequests();
    this.budget = new MessageBudget(now);
    /** Views that wait for the rate limit, by figure.  @type {Map<number, Held>} */ this.held = new Map();
    /** @type {Limits} */ this.limits = NONE;
    /** @type {ReturnType<typeof setTimeout>|undefined} */ this.reconnecting = undefined;
    /** @type {ReturnType<typeof setTimeout>|undefined} */ this.waiting = undefined;
    /** @type {ReturnType<typeof setTimeout>|undefined} */ this.releasing = undefined;
  }

  /**
   * Connects now: at first, after `close`, and when the user does not want to wait for the next attempt. Nothing
   * happens while connected.
   */
  open() {
    if (this.socket) return;
    clearTimeout(this.reconnecting);
    this.sequence = 0;
    this.reassembler = new Reassembler();
    const more = this.resumes === null ? "" : `${this.url.includes("?") ? "&" : "?"}session=${this.resumes}`;
    const socket = this.makeSocket(this.url + more);
    this.socket = socket;
    socket.binaryType = "arraybuffer";
    socket.onmessage = ({ data }) => this.receive(socket, data);
    socket.onclose = ({ code, reason }) => this.lost(socket, code, reason);
    this.waiting = setTimeout(() => this.fail(socket, "The server did not answer.", 4000), HELLO_TIMEOUT);
  }

  /**
   * Closes without reconnecting: for `pagehide`, so that leaving the page looks like leaving. `open` connects again.
   */
  close() {
    clearTimeout(this.reconnecting);
    const { socket } = this;
    this.forget();
    if (!socket) return;
    socket.onclose = null;
    socket.onmessage = null;
    socket.close(1000);
  }

  /** @returns {number} ids go round below 2^32 */
  nextId() {
    this.lastId = (this.lastId % 0xffffffff) + 1;
    return this.lastId;
  }

  /**
   * Asks what a layer is; answered by `progress`, and by `layer` (several times while its index is built) or `error`.
   * @param {number} figure
   * @param {number} layer
   * @param {Definition} definition
   * @returns {number} request id
   */
  layer(figure, layer, definition) {
    const id = this.nextId();
    this.asked.about(id, { figure, layer: { layer, definition }, sent: this.now() });
    this.spend();
    this.send({ op: "layer", id, figure, layer, definition });
    return id;
  }

  /**
   * The figure's new view; it replaces the one before. While the rate limit is used up the newest one is held back.
   * @param {number} figure @param {ViewLayer[]} layers @returns {number} request id
   */
  view(figure, layers) {
    const id = this.nextId();
    const capped = cap(layers, this.limits.tiles_per_view);
    this.asked.view(id, { figure, layers: capped, sent: this.now() });
    const text = JSON.stringify({ op: "view", id, figure, layers: capped });
    this.held.delete(figure);
    if (this.budget.take()) this.sendText(text);
    else {
      this.held.set(figure, { text, id });
      this.#sendHeldLater();
    }
    return id;
  }

  /** Cancels what the figure's view still waits for.  @param {number} figure */
  cancel(figure) {
    const held = this.held.delete(figure);
    if (!this.asked.endView(figure) || held) return;
    this.spend();
    this.send({ op: "cancel", id: this.nextId(), figure });
  }

  /** The rate limit has room for a message that can wait.  @returns {boolean} */
  hasRoom() {
    return this.budget.hasRoom;
  }

  /**
   * Asks for what changes: answered by one `update`.
   * @param {Record<string, number>} versions that are drawn
   * @param {object[]|null} figures what they show: section 10 of docs/protocol.md; null: what was said before
   * @param {boolean} [first] the page comes back with older versions: other messages wait until it has caught up
   * @returns {number} request id
   */
  follow(versions, figures, first = false) {
    const id = this.nextId();
    this.group.expect(id);
    this.spend();
    this.send({ op: "follow", id, versions, ...(figures && { figures }) });
    if (first) this.waitingTexts = [];
    return id;
  }

  /**
   * A step of a brush: answered by one `brushed`, or two where the first is an estimate.
   * @param {object} step section 11 of docs/protocol.md
   * @returns {number} request id
   */
  brush(step) {
    const id = this.nextId();
    this.brushes.expect(id);
    this.spend();
    this.send({ op: "brush", id, ...step });
    return id;
  }

  /**
   * The other side broke the protocol (a plane that does not decode): the connection is closed and opened again.
   * @param {unknown} error
   */
  broken(error) {
    if (this.socket) this.fail(this.socket, error instanceof Error ? error.message : String(error), MALFORMED);
  }

  /** Takes one token of the rate limit. */
  spend() {
    this.budget.spend();
  }

  #sendHeldLater() {
    if (this.releasing !== undefined) return;
    this.releasing = setTimeout(() => {
      this.releasing = undefined;
      for (const [figure, { text, id }] of this.held) {
        if (!this.budget.take()) {
          this.#sendHeldLater();
          return;
        }
        this.held.delete(figure);
        this.asked.sent(id, this.now());
        this.sendText(text);
      }
    }, this.budget.wait);
  }

  /** @param {object} message */
  send(message) {
    this.sendText(JSON.stringify(message));
  }

  /** @param {string} text dropped while the connection is down: the page asks again on `up` */
  sendText(text) {
    if (!this.isUp || !this.socket) return;
    if (this.waitingTexts) {
      this.waitingTexts.push(text);
      return;
    }
    this.socket.send(text);
    this.sent += 1;
  }

  /** @param {Socket} socket @param {unknown} data */
  receive(socket, data) {
    if (socket !== this.socket) return;
    const arrived = this.now();
    try {
      if (!(data instanceof ArrayBuffer)) throw new ProtocolError("the server sent a text frame");
      const frame = parseFrame(data);
      this.sequence += 1;
      if (frame.sequence !== this.sequence)
        throw new ProtocolError(`frame ${frame.sequence} came, expected frame ${this.sequence}`);
      clearTimeout(this.waiting);
      if (!this.isUp && !FIRST.has(frame.type))
        throw new ProtocolError(`the first frame is ${frame.type}, expected hello`);
      const message = this.reassembler.push(frame);
      if (message) this.deliver(message, arrived);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.broken(error);
    }
  }

  /** @param {Message} message @param {number} arrived */
  deliver(message, arrived) {
    if (message.type === "hello") return this.greet(message);
    if (message.type === "changed") return this.#changed(message);
    if (message.type === "session") return this.emit("session", message.json);
    if (message.type === "progress" && message.id === 0) return this.emit("reading", message.json);
    if (this.group.holds(message)) return this.#follow(message);
    if (this.brushes.holds(message)) {
      const step = this.brushes.take(message);
      if (step) this.emit("brushed", step);
      return;
    }
    return this.emit(message.type, { ...message, ...this.asked.answered(message, arrived) });
  }

  /** What belongs to an update waits for its end.  @param {Message} message */
  #follow(message) {
    const whole = this.group.take(message);
    const isEnd = whole !== null || message.type === "error";
    if (whole) this.emit("update", whole);
    else if (isEnd) this.emit("unfollowed", message);
    if (isEnd) this.#release();
  }

  /** What the page follows is not answered any more where its data are others: it asks anew.
   * @param {import("./reassembler.js").ChangedMessage} message */
  #changed(message) {
    this.emit("changed", message);
    const { json } = message;
    if (json.document === undefined && json.notes === undefined) this.#release();
  }

  /** Sends what has waited until the page had caught up. */
  #release() {
    const texts = this.waitingTexts;
    this.waitingTexts = null;
    for (const text of texts ?? []) this.sendText(text);
  }

  /** @param {import("./reassembler.js").HelloMessage} message */
  greet(message) {
    if (message.json.protocol !== VERSION) {
      const reason = `The server speaks protocol ${message.json.protocol}, this page ${VERSION}: reload the page.`;
      if (this.socket) this.fail(this.socket, reason, OTHER_VERSION);
      return;
    }
    const [again, restarted] = [this.epoch !== 0, this.epoch !== 0 && this.epoch !== message.epoch];
    this.epoch = message.epoch;
    this.limits = message.json.limits;
    this.budget.begin(this.limits);
    this.isUp = true;
    this.upSince = this.now();
    this.emit("hello", message);
    this.emit("up", { again, restarted });
  }

  /** Closes a socket for a reason of our own.  @param {Socket} socket @param {string} reason @param {number} code */
  fail(socket, reason, code) {
    socket.onclose = null;
    socket.onmessage = null;
    socket.close(code);
    this.lost(socket, code, reason);
  }

  /** @param {Socket} socket @param {number} code @param {string} reason */
  lost(socket, code, reason) {
    if (socket !== this.socket) return;
    if (this.isUp && this.now() - this.upSince > STEADY) this.attempt = 0;
    this.forget();
    const final = FINAL.has(code);
    const delay =
      code === RESTART && this.attempt === 0 ? INVITED_DELAY : Math.min(LONGEST_DELAY, FIRST_DELAY * 2 ** this.attempt);
    const inMs = final ? 0 : Math.round(delay * (0.5 + this.random() / 2));
    this.attempt += 1;
    if (!final) this.reconnecting = setTimeout(() => this.open(), inMs);
    this.emit("down", { inMs, attempt: this.attempt, code, reason, final });
  }

  /** Nothing requested on the old socket will be answered. */
  forget() {
    clearTimeout(this.waiting);
    clearTimeout(this.releasing);
    this.releasing = undefined;
    this.socket = null;
    this.isUp = false;
    this.group = new UpdateGroup();
    this.brushes = new BrushGroup();
    this.waitingTexts = null;
    this.asked.clear();
    this.held.clear();
    this.budget.empty();
  }

  /** @param {string} type @param {unknown} detail */
  emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

/**
 * At most so many tiles over all layers, wanted ones before prefetched ones; the page asks for the rest once these are
 * there.
 * @param {ViewLayer[]} layers @param {number} most @returns {ViewLayer[]}
 */
export function cap(layers, most) {
  let left = most;
  const take = (/** @type {number[][]|undefined} */ list) => {
    const part = (list ?? []).slice(0, left);
    left -= part.length;
    return part;
  };
  const tiles = layers.map((part) => take(part.tiles));
  return layers.map((part, k) => (part.columns ? part : { ...part, tiles: tiles[k], prefetch: take(part.prefetch) }));
}
