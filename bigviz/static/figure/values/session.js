// The session of a page: what its app, or in shared pages others, may change of it, and what they hear of it. Values of
// controls and ranges go to the server, and everything that the server tells comes back into controls, layers and
// figures.

import { find } from "../../dom.js";
import { spanOf } from "../../geometry/span.js";
import { ends } from "../../geometry/window.js";
import { same } from "./control-values.js";
import { Settling } from "./settling.js";

/** @typedef {import("../../wire/reassembler.js").SessionJson} SessionJson */
/** @typedef {import("../../wire/reassembler.js").SessionPush} SessionPush */
/** @typedef {import("../figure.js").Figure} Figure */
/** @typedef {import("./control-values.js").ControlValues} Values */
/** @typedef {import("../../types.js").ControlValue} ControlValue */
/** @typedef {[number|string, number|string]} Ends */

/** Between two messages about the same thing, while it is dragged. */
const MESSAGE_MS = 40;
/** Where the id of a session outlasts a reload of its page. */
const KEPT = "bigviz:session";

export class PageSession {
  /**
   * @param {import("../../wire/connection.js").Connection} connection
   * @param {{say: (push: SessionPush) => void, remake: (id: string) => void, own: boolean}} o `say`: shows what is for
   *   the viewer; `remake`: a control has other properties; `own`: the page has its tab for itself, so that the session
   *   outlasts a reload
   */
  constructor(connection, { say, remake, own }) {
    this.connection = connection;
    this.say = say;
    this.remake = remake;
    this.own = own;
    /** @type {SessionJson|null} */ this.json = null;
    /** @type {Figure[]} */ this.figures = [];
    /** @type {Values|null} */ this.values = null;
    /** What is selected, by figure.  @type {Map<string, string|null>} */ this.selected = new Map();
    /** How often each button was pressed.  @type {Map<string, number>} */ this.presses = new Map();
    /** @type {Settling<ControlValue>} */ this.settling = new Settling();
    /** Ranges that the server told before their figure was ready.  @type {Map<string, Ends>} */ this.due = new Map();
    /** A push is being applied: what changes by it is not news to the server. */ this.isApplying = false;
    /** @type {ReturnType<typeof setTimeout>|undefined} */ this.waiting = undefined;
    this.last = Number.NEGATIVE_INFINITY;
    if (own) connection.resumes = takeKept();
  }

  /**
   * The figures and controls of the page are there, perhaps others than before.
   * @param {Figure[]} figures @param {Values} values
   */
  build(figures, values) {
    this.figures = figures;
    this.values = values;
    this.due.clear();
    this.settling = new Settling();
    values.onChange((id, value) => this.#changed(`control/${id}`, value));
    for (const figure of figures) {
      for (const side of /** @type {const} */ (["x", "y"]))
        figure.ranges[side].addEventListener("change", (event) => {
          const { by } = /** @type {CustomEvent} */ (event).detail;
          if (by === figure && this.json?.ranged) this.#changed(`range/${figure.spec[`${side}_range`]}`, null);
        });
      figure.addEventListener("frame", () => this.#showDue(figure));
      figure.selection.addEventListener("change", () => this.#selected(figure));
    }
  }

  /**
   * The connection is up, perhaps again.
   * @param {SessionJson|undefined} json @param {boolean} isBack the page had the session before
   */
  greet(json, isBack) {
    this.json = json ?? null;
    this.connection.resumes = json?.id ?? null;
    if (!json) return;
    this.settling.lost();
    const { values } = this;
    const isFirst = json.sequence === 0 && !isBack;
    this.#apply({ ...json.set, ranges: json.ranges }, undefined);
    for (const [id, value] of Object.entries(json.values)) {
      const mine = values?.get(id);
      if (values === null || same(mine ?? null, value ?? null)) continue;
      if (isFirst) this.settling.change(`control/${id}`, mine ?? null);
      else this.#take("control", id, undefined, () => values.set(id, /** @type {ControlValue} */ (value)));
    }
    if (json.ranged && !isBack)
      for (const figure of this.figures)
        for (const side of /** @type {const} */ (["x", "y"]))
          if (figure.ranges[side].moved) this.settling.change(`range/${figure.spec[`${side}_range`]}`, null);
    if (json.app) this.say({ app: json.app });
    this.#soon();
  }

  /** @param {SessionPush} push */
  take(push) {
    if (push.set) this.#apply(push.set, push.set.id);
    this.say(push);
  }

  /** A button was pressed.  @param {string} id */
  press(id) {
    const presses = (this.presses.get(id) ?? 0) + 1;
    this.presses.set(id, presses);
    this.#send({ op: "control", control: id, value: presses });
  }

  /** The server refuses a message of this page.  @param {number} id */
  refused(id) {
    this.settling.refused(id);
  }

  /** The page is left: a reload goes on with its session. */
  keep() {
    if (this.own && this.json) sessionStorage.setItem(`${KEPT}:${location.pathname}`, this.json.id);
  }

  /** Nothing more is sent. */
  dispose() {
    clearTimeout(this.waiting);
  }

  /** Other rows are selected in a figure, or none, once that is known.  @param {Figure} figure */
  #selected(figure) {
    const { selection, spec } = figure;
    if (selection.isBusy) return;
    const id = selection.answer?.id ?? null;
    if ((this.selected.get(spec.id) ?? null) === id) return;
    this.selected.set(spec.id, id);
    this.#send({ op: "selection", figure: spec.id, selection: id });
  }

  /** @param {string} name @param {ControlValue} value */
  #changed(name, value) {
    if (this.json === null || this.isApplying) return;
    this.settling.change(name, value);
    this.#soon();
  }

  #soon() {
    if (this.waiting !== undefined) return;
    const wait = Math.max(0, this.last + MESSAGE_MS - performance.now());
    if (wait === 0) this.#flush();
    else this.waiting = setTimeout(() => this.#flush(), wait);
  }

  #flush() {
    clearTimeout(this.waiting);
    this.waiting = undefined;
    if (!this.connection.isUp) return;
    this.last = performance.now();
    /** @type {Record<string, Ends>} */ const ranges = {};
    const { unsent } = this.settling;
    if (unsent.length > 0 && !this.connection.hasRoom()) {
      this.waiting = setTimeout(() => this.#flush(), 4 * MESSAGE_MS);
      return;
    }
    for (const [name, value] of unsent) {
      const id = name.slice(name.indexOf("/") + 1);
      if (name.startsWith("control/")) this.settling.sent(name, this.#send({ op: "control", control: id, value }));
      else {
        const now = this.#ends(id);
        if (now) ranges[id] = now;
      }
    }
    if (Object.keys(ranges).length === 0) return;
    const sent = this.#send({ op: "range", ranges });
    for (const name of Object.keys(ranges)) this.settling.sent(`range/${name}`, sent);
  }

  /** @param {object} message @returns {number} its id */
  #send(message) {
    const id = this.connection.nextId();
    if (this.json === null) return id;
    this.connection.spend();
    this.connection.send({ ...message, id });
    return id;
  }

  /** @param {NonNullable<SessionPush["set"]>} set @param {number|undefined} id */
  #apply({ layers = {}, figures = {}, controls = {}, ranges = {} }, id) {
    this.isApplying = true;
    for (const [name, properties] of Object.entries(figures)) {
      const figure = this.figures.find(({ spec }) => spec.id === name);
      if (figure && typeof properties.title === "string") retitle(figure, properties.title);
    }
    for (const figure of this.figures) figure.republish(layers);
    for (const [name, properties] of Object.entries(controls)) {
      const { values } = this;
      if (!values) break;
      const { value, ...others } = properties;
      if (Object.keys(others).length > 0 && name in values.controls) {
        values.redeclare(name, others);
        this.remake(name);
      }
      if (value !== undefined)
        this.#take("control", name, id, () => {
          if (!same(values.get(name) ?? null, value)) values.set(name, value);
        });
    }
    for (const [name, pair] of Object.entries(ranges)) this.#take("range", name, id, () => this.due.set(name, pair));
    this.isApplying = false;
    for (const figure of this.figures) this.#showDue(figure);
  }

  /** @param {string} kind @param {string} name @param {number|undefined} id @param {() => void} act */
  #take(kind, name, id, act) {
    if (!this.settling.take(`${kind}/${name}`, id)) return;
    const before = this.isApplying;
    this.isApplying = true;
    act();
    this.isApplying = before;
  }

  /** @param {Figure} figure */
  #showDue(figure) {
    if (this.due.size === 0 || figure.view === null) return;
    for (const side of /** @type {const} */ (["x", "y"])) {
      const name = figure.spec[`${side}_range`];
      const pair = this.due.get(name);
      if (!pair) continue;
      this.due.delete(name);
      const span = spanOf(pair[0], pair[1], figure.axes[side].exact);
      if (span && !same(pair, this.#ends(name))) figure.ranges[side].set(span, this, 0);
    }
  }

  /** What a range shows, as the document would have it.  @param {string} name @returns {Ends|null} */
  #ends(name) {
    for (const { spec, ranges, axes } of this.figures)
      for (const side of /** @type {const} */ (["x", "y"])) {
        const { now } = ranges[side];
        if (spec[`${side}_range`] === name && now !== null)
          return ends(now, axes[side].exact, spec[`${side}_axis`].kind === "datetime");
      }
    return null;
  }
}

/** @param {Figure} figure @param {string} title */
function retitle(figure, title) {
  figure.spec.title = title;
  find(figure.section, ".title", HTMLElement).textContent = title;
}

/** The session of this tab's page before its reload; a second tab that was made from it finds none. */
function takeKept() {
  const key = `${KEPT}:${location.pathname}`;
  const id = sessionStorage.getItem(key);
  sessionStorage.removeItem(key);
  return id;
}
