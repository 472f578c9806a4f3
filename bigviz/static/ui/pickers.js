// The form of a figure: which columns, what a cell holds, and how values become colours.

import { find, make, ownPopover } from "../dom.js";
import { formatNumber } from "../axes/axis.js";
import { gradient } from "../render/palette.js";

/** @typedef {import("../figure/figure.js").Figure} Figure */
/** @typedef {import("../layers/layer.js").Choice} Choice */
/** @typedef {import("../layers/layer.js").Column} Column */

const NUMBERS = new Set(["integer", "float", "decimal", "bool"]);
const TIMES = new Set(["timestamp", "date", "time", "duration"]);
const MIDDLE = { low: { percentile: 1 }, high: { percentile: 99 } };

/** A column's name inside a reduction's text: in backticks where it could be taken for something else.  @param {string} name @returns {string} */
export function quoted(name) {
  return name !== "" && name === name.trim() && !/[(),`'"]/.test(name) ? name : `\`${name.replaceAll("`", "``")}\``;
}

/** Binds the pickers of a figure; they follow the figure's choices and the figure follows them.  @param {Figure} figure */
export function bindPickers(figure) {
  const form = find(figure.section, "form.pickers", HTMLFormElement);
  const select = (/** @type {string} */ name) => find(form, `select[name="${name}"]`, HTMLSelectElement);
  let at = 0;
  const layer = () => figure.layers[at];
  if (figure.layers.length === 0) {
    form.hidden = true;
    return;
  }

  fillLayers(figure, select("layer"));
  fillMaps(select("cmap"), figure.page.luts);
  for (const name of ["glyph", "how"]) setOptions(select(name), [...select(name).options]);
  const show = () => {
    const { choice, columns } = layer();
    fillColumns(select("x"), columns, choice.x);
    fillColumns(select("y"), columns, choice.y);
    fillReductions(select("agg"), columns, choice);
    for (const side of /** @type {const} */ (["x", "y"])) fillAxes(figure, select(`${side}axis`), side);
    for (const name of /** @type {const} */ (["glyph", "cmap", "how"])) select(name).value = choice[name];
    const line = choice.glyph === "line";
    for (const name of ["agg", "cmap", "how"]) find(form, `[data-for="${name}"]`, HTMLElement).hidden = line;
    find(form, '[data-for="cmap"]', HTMLElement).hidden = line || choice.agg.startsWith("by(");
    find(form, '[data-act="clip"]', HTMLElement).hidden = line;
    showClip(form, choice);
  };
  show();
  figure.addEventListener("choice", show);
  figure.addEventListener("info", () => {
    for (const side of /** @type {const} */ (["x", "y"])) fillAxes(figure, select(`${side}axis`), side);
  });
  select("layer").addEventListener("change", () => {
    at = Number(select("layer").value);
    show();
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  for (const name of /** @type {const} */ (["x", "y", "agg", "cmap", "how", "glyph"])) {
    select(name).addEventListener("change", () => {
      /** @type {Partial<Choice>} */
      const change = { [name]: select(name).value };
      if (name === "glyph") change.agg = change.glyph === "line" ? "any" : layer().published.glyph === "points" ? layer().published.agg : "count";
      if (name === "agg" || name === "x" || name === "y") Object.assign(change, { low: null, high: null }); // they were ends of other values
      if (name === "x" || name === "y") change.root = layer().published.root;
      figure.choose(at, change);
    });
  }
  // The axes are the figure's: all of its layers go on them.
  for (const name of /** @type {const} */ (["xaxis", "yaxis"])) {
    select(name).addEventListener("change", () => {
      const { value } = select(name);
      const side = name === "xaxis" ? "x" : "y";
      for (const [k, each] of figure.layers.entries()) figure.choose(k, { [name]: value === each.defaultKind(side) ? null : value });
    });
  }
  bindClip(figure, form, () => at);
  bindSettings(figure);
}

/** @param {Figure} figure @param {HTMLSelectElement} select */
function fillLayers(figure, select) {
  const label = select.closest("label");
  if (label) label.hidden = figure.layers.length < 2;
  setOptions(select, figure.layers.map((l, k) => new Option(`${k + 1}: ${l.spec.y}`, String(k))));
}

/** @param {HTMLSelectElement} select @param {Column[]} columns @param {string} chosen */
function fillColumns(select, columns, chosen) {
  const names = columns.filter((c) => c.plottable).map((c) => c.name);
  if (!names.includes(chosen)) names.unshift(chosen);
  if (select.options.length !== names.length || names.some((name, k) => select.options[k].value !== name)) setOptions(select, names.map((name) => new Option(name, name)));
  select.value = chosen;
}

/** The kinds of axis that every layer's column can go on; hidden where there is no choice, or where another figure shares the range.  @param {Figure} figure @param {HTMLSelectElement} select @param {"x"|"y"} side */
function fillAxes(figure, select, side) {
  const [first, ...others] = figure.layers.map((layer) => layer.axisKinds(side));
  const kinds = first.filter((kind) => others.every((allowed) => allowed.includes(kind)));
  if (select.options.length !== kinds.length || kinds.some((kind, k) => select.options[k].value !== kind)) setOptions(select, kinds.map((kind) => new Option(kind, kind)));
  select.value = figure.main.axisKind(side);
  const label = select.closest("label");
  const linked = [...figure.ranges[side].data.keys()].some((layer) => !figure.layers.some((own) => own === layer));
  if (label) label.hidden = kinds.length < 2 || linked;
}

/** @param {HTMLSelectElement} select @param {Column[]} columns @param {Choice} choice */
function fillReductions(select, columns, choice) {
  const usable = columns.filter((c) => c.plottable);
  const numbers = usable.filter((c) => NUMBERS.has(c.kind));
  const ordered = usable.filter((c) => NUMBERS.has(c.kind) || TIMES.has(c.kind));
  const categories = usable.filter((c) => c.kind === "category");
  const group = (/** @type {string} */ title, /** @type {string} */ name, /** @type {Column[]} */ of) => {
    if (of.length === 0) return [];
    const items = of.map((c) => new Option(`${name === "by" ? "by " : `${name} of `}${c.name}`, `${name}(${quoted(c.name)})`));
    return [make("optgroup", { attrs: { label: title } }, items)];
  };
  const all = choice.glyph === "line"
    ? [new Option("any", "any")]
    : [
        new Option("count", "count"),
        ...group("Categories", "by", categories),
        ...group("Mean", "mean", numbers),
        ...group("Sum", "sum", numbers),
        ...group("Lowest", "min", ordered),
        ...group("Highest", "max", ordered),
      ];
  setOptions(select, all);
  if (![...select.options].some((o) => o.value === choice.agg)) select.append(new Option(choice.agg, choice.agg));
  select.value = choice.agg;
}

/** Names with their colours; browsers that cannot show colours in a list show the names.  @param {HTMLSelectElement} select @param {Map<string, Uint8Array>} luts */
function fillMaps(select, luts) {
  const options = [...luts].map(([name, lut]) => {
    const option = make("option", { attrs: { value: name } });
    const swatch = make("span", { class: "swatch" });
    swatch.style.backgroundImage = gradient(lut);
    option.append(swatch, name);
    return option;
  });
  setOptions(select, options);
}

/** Options, and where the browser lets a select be styled, the button that shows the chosen one.  @param {HTMLSelectElement} select @param {HTMLElement[]} options */
function setOptions(select, options) {
  const styled = CSS.supports("appearance", "base-select");
  select.replaceChildren(...(styled ? [make("button", {}, [document.createElement("selectedcontent")])] : []), ...options);
}

// Clipping.

/** @param {import("../render/norm.js").Clip} clip @returns {string} */
function clipWords(clip) {
  if (clip === null) return "";
  return typeof clip === "number" ? formatNumber(clip, 3) : `${clip.percentile} %`;
}

/** @param {HTMLFormElement} form @param {Choice} choice */
function showClip(form, { low, high }) {
  const button = find(form, '[data-act="clip"]', HTMLButtonElement);
  const on = low !== null || high !== null;
  button.classList.toggle("on", on);
  find(button, ".value", HTMLElement).textContent = on ? `${clipWords(low) || "lowest"} to ${clipWords(high) || "highest"}` : "off";
}

/** @param {Figure} figure @param {HTMLFormElement} form @param {() => number} at the layer of the form */
function bindClip(figure, form, at) {
  const button = find(form, '[data-act="clip"]', HTMLButtonElement);
  const popover = find(figure.section, '[data-menu="clip"]', HTMLElement);
  ownPopover(popover, button);
  const inputs = { low: find(popover, '[name="low"]', HTMLInputElement), high: find(popover, '[name="high"]', HTMLInputElement) };
  const show = () => {
    const { choice } = figure.layers[at()];
    for (const end of /** @type {const} */ (["low", "high"])) {
      const clip = choice[end];
      if (document.activeElement !== inputs[end]) inputs[end].value = clip === null ? "" : typeof clip === "number" ? String(Number(clip.toPrecision(6))) : `${clip.percentile} %`;
      inputs[end].removeAttribute("aria-invalid");
    }
  };
  figure.addEventListener("choice", show);
  popover.addEventListener("beforetoggle", show);
  for (const end of /** @type {const} */ (["low", "high"])) {
    inputs[end].addEventListener("input", () => {
      const clip = readClip(inputs[end].value);
      inputs[end].toggleAttribute("aria-invalid", false);
      if (clip === undefined) inputs[end].setAttribute("aria-invalid", "true");
      else figure.choose(at(), { [end]: clip });
    });
    inputs[end].addEventListener("keydown", (event) => {
      if (event.key === "Enter") popover.hidePopover();
    });
  }
  find(popover, '[data-clip="middle"]', HTMLButtonElement).addEventListener("click", () => figure.choose(at(), MIDDLE));
  find(popover, '[data-clip="off"]', HTMLButtonElement).addEventListener("click", () => figure.choose(at(), { low: null, high: null }));
}

/** @param {string} text @returns {import("../render/norm.js").Clip|undefined} a value, a percentile ("1 %"), null for nothing; undefined when it is neither */
export function readClip(text) {
  const words = text.trim();
  if (words === "") return null;
  const share = /^(.*\S)\s*%$/.exec(words);
  const number = Number((share ? share[1] : words).replaceAll(/[\u00a0 ,_]/g, ""));
  if (!Number.isFinite(number)) return undefined;
  if (!share) return number;
  return number >= 0 && number <= 100 ? { percentile: number } : undefined;
}

/** The button that folds the form away where the figure is narrow.  @param {Figure} figure */
function bindSettings(figure) {
  const bar = find(figure.section, ".bar", HTMLElement);
  const button = find(bar, '[data-act="settings"]', HTMLButtonElement);
  const open = (/** @type {boolean} */ is) => {
    bar.toggleAttribute("data-open", is);
    button.setAttribute("aria-expanded", String(is));
  };
  button.addEventListener("click", () => open(!bar.hasAttribute("data-open")));
  open(figure.section.matches(".layout > .figure, .layout > :only-child > .figure:only-child") && figure.section.clientWidth >= 640);
}
