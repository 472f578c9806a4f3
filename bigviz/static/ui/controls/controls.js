// The controls of a document as elements, one module a type.

import { button } from "./button.js";
import { checkbox } from "./checkbox.js";
import { dateRange } from "./date-range.js";
import { markdown } from "./markdown.js";
import { multiselect } from "./multiselect.js";
import { number } from "./number.js";
import { radio } from "./radio.js";
import { range } from "./range.js";
import { select } from "./select.js";
import { slider } from "./slider.js";
import { RowTable } from "./table.js";
import { text } from "./text.js";

/** @typedef {import("./field.js").Built} Built */

/** @type {Record<string, (built: Built) => HTMLElement>} */
const VALUED = { select, multiselect, radio, checkbox, slider, range, date_range: dateRange, text, button };

/**
 * Makes elements of controls; `tables` has the tables that were made, `numbers` the live figures, by control.
 * @param {import("../../types.js").DocumentSpec} document
 * @param {import("../../figure/values/control-values.js").ControlValues} values
 * @param {Pick<import("../../figure/page.js").Page, "connection"|"streams"|"offline">} page
 * @param {AbortSignal} signal ends listening
 */
export function controlMaker(document, values, page, signal) {
  /** @type {Map<string, RowTable>} */ const tables = new Map();
  /** @type {Map<string, import("./number.js").LiveFigure>} */ const numbers = new Map();
  /** @param {string} id @returns {HTMLElement} */
  const make = (id) => {
    const spec = values.controls[id];
    const built = { id, spec, values, signal };
    if (spec.type === "markdown") return markdown(id, spec);
    if (spec.type === "number") {
      const live = number(built, page);
      numbers.set(id, live);
      return live.element;
    }
    if (spec.type === "table") {
      const table = new RowTable(built, titleOf(document.layout, spec.figure ?? ""));
      tables.set(id, table);
      return table.element;
    }
    const element = VALUED[spec.type](built);
    // An exported page has only what its document shows.
    if (page.offline)
      for (const each of element.querySelectorAll("input, select, button")) each.toggleAttribute("disabled", true);
    return element;
  };
  return { make, tables, numbers };
}

/** @param {import("../../types.js").Node} node @param {string} id @returns {string} */
function titleOf(node, id) {
  if (node.type === "control") return "";
  if (node.type === "figure") return node.id === id ? (node.title ?? "") : "";
  return node.children.map((child) => titleOf(child, id)).find((title) => title !== "") ?? "";
}
