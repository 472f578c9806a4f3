// The choices of the form's lists.

import { make } from "../../dom.js";
import { gradient } from "../../render/palette.js";

/** @typedef {import("../../layers/layer.js").Column} Column */

/**
 * Options, and where the browser lets a select be styled, the button that shows the chosen one.
 * @param {HTMLSelectElement} select
 * @param {HTMLElement[]} options
 */
export function setOptions(select, options) {
  const styled = CSS.supports("appearance", "base-select");
  select.replaceChildren(
    ...(styled ? [make("button", {}, [document.createElement("selectedcontent")])] : []),
    ...options,
  );
}

/**
 * Names with their colours; browsers that cannot show colours in a list show the names.
 * @param {HTMLSelectElement} select
 * @param {Map<string, Uint8Array>} luts
 */
export function fillMaps(select, luts) {
  const options = [...luts].map(([name, lut]) => {
    const option = make("option", { attrs: { value: name } });
    const swatch = make("span", { class: "swatch" });
    swatch.style.backgroundImage = gradient(lut);
    option.append(swatch, name);
    return option;
  });
  setOptions(select, options);
}

/**
 * Columns with their types, and with the reason those of the table that cannot be drawn at all, or whose values cannot
 * be categories.
 * @param {readonly Column[]} usable @param {readonly Column[]} all
 * @param {boolean} [asCategories] @returns {import("./suggest.js").Option[]}
 */
export function columnOptions(usable, all, asCategories = false) {
  return [
    ...usable.map(({ name, type }) => ({ value: name, note: type })),
    ...all.flatMap(({ name, plottable, reason, by_reason }) => {
      if (!plottable) return [{ value: name, note: "cannot be drawn", off: reason ?? "its type cannot be drawn" }];
      return asCategories && by_reason ? [{ value: name, note: "too many values", off: by_reason }] : [];
    }),
  ];
}
