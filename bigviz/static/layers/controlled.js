// The values of controls in a layer: "$ID" as the whole of a column, reduction or colours.

/** @typedef {import("../types.js").ControlValue} ControlValue */
/** What a layer asks of the values of controls: figure/values/control-values.js has them.
 * @typedef {{get: (id: string) => ControlValue, namedIn: (filter: string) => Record<string, ControlValue>|null}}
 *   ControlValues */

const KEYS = /** @type {const} */ (["x", "y", "agg", "filter", "cmap", "how"]);
const WHOLE = /^\$([A-Za-z_][A-Za-z0-9_]*)$/;

/**
 * The choices of a layer that are a viewer's own, and not a control's value: undo goes through these alone.
 * @template {object} C
 * @param {{choice: C, spec: object, values?: ControlValues|null}} layer
 * @returns {C} without the others
 */
export function ownChoice({ choice, spec, values }) {
  if (!values) return choice;
  const said = controlled(spec, values);
  return /** @type {C} */ (Object.fromEntries(Object.entries(choice).filter(([key]) => !(key in said))));
}

/**
 * The properties of a layer that are a control's value, with it; an empty object for most layers.
 * @param {object} spec of a layer
 * @param {ControlValues|null} values
 * @returns {Partial<Record<"x"|"y"|"agg"|"filter"|"cmap", string> & {how: import("../render/norm.js").How}>}
 */
export function controlled(spec, values) {
  /** @type {Record<string, any>} */
  const found = {};
  for (const key of KEYS) {
    const id = WHOLE.exec(String(/** @type {Record<string, unknown>} */ (spec)[key] ?? ""))?.[1];
    const value = id === undefined ? null : values?.get(id);
    if (typeof value === "string") found[key] = value;
  }
  return found;
}
