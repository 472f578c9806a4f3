// What controls share: the element with a label, or a group with one.

import { make } from "../../dom.js";

/** @typedef {import("../../types.js").ControlSpec} ControlSpec */
/** @typedef {import("../../figure/values/control-values.js").ControlValues} ControlValues */
/** What a control is built from.
 * @typedef {{id: string, spec: ControlSpec, values: ControlValues, signal: AbortSignal}} Built */

/** @param {string} id @param {ControlSpec} spec @returns {string} */
export const labelOf = (id, spec) => spec.label ?? id.replaceAll("_", " ");

/**
 * An element with a label before its one input.
 * @param {Built} built @param {(HTMLElement|string)[]} children @returns {HTMLElement}
 */
export function labelled({ id, spec }, children) {
  const words = make("span", { class: "control-label", text: labelOf(id, spec) });
  return make("div", { class: `control ${spec.type}`, attrs: { "data-control": id } }, [
    make("label", {}, [words, ...children]),
  ]);
}

/**
 * An element with a label over several inputs.
 * @param {Built} built @param {(HTMLElement|string)[]} children @returns {HTMLElement}
 */
export function grouped({ id, spec }, children) {
  const words = make("legend", { class: "control-label", text: labelOf(id, spec) });
  return make("div", { class: `control ${spec.type}`, attrs: { "data-control": id } }, [
    make("fieldset", {}, [words, ...children]),
  ]);
}

/**
 * Shows a value now, and whenever it changes.
 * @param {Built} built @param {(value: import("../../types.js").ControlValue) => void} show
 */
export function follow({ id, values, signal }, show) {
  show(values.get(id));
  values.onChange((changed, value) => {
    if (changed === id) show(value);
  }, signal);
}
