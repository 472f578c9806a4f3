// The values of a document's controls: one store, that figures, controls, the address and apps read and write.

import { labelWords } from "../../axes/label-words.js";

/** @typedef {import("../../types.js").ControlSpec} ControlSpec */
/** @typedef {import("../../types.js").ControlValue} ControlValue */

/** The types of controls that have a value. */
const VALUED = new Set(["select", "multiselect", "radio", "checkbox", "slider", "range", "date_range", "text"]);
const DATE = /^\d{4}-\d{2}-\d{2}$/;
/** The name of a control in the text of a filter. */
const NAMED = /\$([A-Za-z_][A-Za-z0-9_]*)/g;

export class ControlValues {
  /**
   * @param {Readonly<Record<string, ControlSpec>>} controls by id
   * @param {Readonly<Record<string, {options: ControlValue[], more: boolean}>>} [options] of those whose options are a
   *   column's values
   */
  constructor(controls, options = {}) {
    this.controls = { ...controls };
    this.columns = { ...options };
    /** @type {Map<string, ControlValue>} */ this.values = new Map();
    for (const [id, spec] of Object.entries(controls)) if (VALUED.has(spec.type)) this.values.set(id, first(spec));
    /** @type {((id: string, value: ControlValue) => void)[]} */ this.listeners = [];
  }

  /** @param {string} id @returns {ControlValue} null for no value */
  get(id) {
    return this.values.get(id) ?? null;
  }

  /** What the document says.  @param {string} id @returns {ControlValue} */
  published(id) {
    return first(this.controls[id]);
  }

  /**
   * Listeners are told of a value that is another one than before; what makes no sense for the control is ignored.
   * @param {string} id @param {ControlValue} value
   */
  set(id, value) {
    if (!this.values.has(id) || same(this.get(id), value) || !this.takes(id, value)) return;
    this.values.set(id, value);
    for (const listener of [...this.listeners]) listener(id, value);
  }

  /** A control has other properties than its document says.  @param {string} id @param {Partial<ControlSpec>} change */
  redeclare(id, change) {
    this.controls[id] = { ...this.controls[id], ...change };
  }

  /**
   * The column of a control's options has these values now.
   * @param {string} id @param {{options: ControlValue[], more: boolean}} found @returns {boolean} they are others
   */
  offer(id, { options, more }) {
    if (same(this.columns[id], { options, more })) return false;
    this.columns[id] = { options, more };
    return true;
  }

  /** @param {(id: string, value: ControlValue) => void} listener @param {AbortSignal} [signal] ends it */
  onChange(listener, signal) {
    this.listeners.push(listener);
    signal?.addEventListener("abort", () => {
      this.listeners = this.listeners.filter((each) => each !== listener);
    });
  }

  /** The values that are others than the document's, by id.  @returns {[string, ControlValue][]} */
  changed() {
    return [...this.values].filter(([id, value]) => !same(value, this.published(id)));
  }

  /**
   * The choices of a select, multiselect or radio.
   * @param {string} id @returns {{value: ControlValue, label: string}[]}
   */
  options(id) {
    const { options } = this.controls[id];
    const listed = Array.isArray(options) ? options : (this.columns[id]?.options ?? []);
    return listed.map((each) => {
      const { value, label } = isObject(each) ? each : { value: each, label: null };
      return { value, label: label ?? labelWords(String(value)) };
    });
  }

  /** The values of the controls that a filter names, by id; null where it names none.
   * @param {string} filter @returns {Record<string, ControlValue>|null} */
  namedIn(filter) {
    const names = [...filter.matchAll(NAMED)].map((found) => found[1]).filter((id) => this.values.has(id));
    if (names.length === 0) return null;
    return Object.fromEntries([...new Set(names)].sort().map((id) => [id, this.get(id)]));
  }

  /** Whether a value has the form that its control's values have.  @param {string} id @param {unknown} value */
  takes(id, value) {
    const spec = this.controls[id];
    if (value === null) return true;
    const isNumber = (/** @type {unknown} */ each) =>
      typeof each === "number" && each >= Number(spec.start) && each <= Number(spec.end);
    const isPair = Array.isArray(value) && value.length === 2 && value[0] <= value[1];
    switch (spec.type) {
      case "select":
      case "radio":
        return this.options(id).some((each) => each.value === value);
      case "multiselect": {
        const known = this.options(id).map((each) => each.value);
        return Array.isArray(value) && value.every((each) => known.includes(each));
      }
      case "checkbox":
        return typeof value === "boolean";
      case "slider":
        return isNumber(value);
      case "range":
        return isPair && value.every(isNumber);
      case "date_range":
        return isPair && value.every((each) => typeof each === "string" && DATE.test(each));
      default:
        return typeof value === "string";
    }
  }
}

/** Whether two values of JSON are the same.  @param {unknown} a @param {unknown} b @returns {boolean} */
export const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);

/** @param {ControlSpec} spec @returns {ControlValue} */
const first = ({ value = null }) => value;

/** @param {unknown} each @returns {each is {value: ControlValue, label?: string|null}} */
const isObject = (each) => typeof each === "object" && each !== null && !Array.isArray(each);
