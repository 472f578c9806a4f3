// The form of a figure: which columns, what a cell holds, and how values become colours.

import { readValue } from "../../axes/values.js";
import { find, ownPopover } from "../../dom.js";
import { axisKind, axisKinds, defaultKind } from "../../layers/axis-kinds.js";
import { defaultAgg, isBars } from "../../layers/glyphs.js";
import { isValue } from "../../render/norm.js";
import { Combobox } from "./combobox.js";
import { FilterField } from "./filter-field.js";
import { columnOptions, fillMaps, setOptions } from "./options.js";
import { ReductionPicker } from "./reduction-picker.js";
import { readReduction } from "./reduction-text.js";

/** @typedef {import("../../figure/figure.js").Figure} Figure */
/** @typedef {import("../../layers/layer.js").Choice} Choice */

const MIDDLE = { low: { percentile: 1 }, high: { percentile: 99 } };

/**
 * Binds the pickers of a figure; they follow the figure's choices and the figure follows them.
 * @param {Figure} figure
 */
export function bindPickers(figure) {
  const form = find(figure.section, "form.pickers", HTMLFormElement);
  const select = (/** @type {string} */ name) => find(form, `select[name="${name}"]`, HTMLSelectElement);
  let at = 0;
  const layer = () => figure.layers[at];
  if (figure.layers.length === 0) {
    form.hidden = true;
    return;
  }
  const { offline = false } = figure.page;
  form.classList.toggle("colours-only", offline);
  if (offline && figure.layers.every(({ spec }) => spec.glyph !== "points"))
    find(figure.section, '[data-act="settings"]', HTMLButtonElement).hidden = true; // lines and bars have no colour map

  fillLayers(figure, select("layer"));
  fillMaps(select("cmap"), figure.page.luts);
  for (const name of ["glyph", "how"]) setOptions(select(name), [...select(name).options]);
  /** @param {Partial<Choice>} change the ends of the colours were those of other values */
  const chooseValues = (change) => figure.choose(at, { ...change, low: null, high: null });
  const columnBox = (/** @type {"x"|"y"} */ side) =>
    new Combobox(find(form, `input[name="${side}"]`, HTMLInputElement), figure.section, {
      label: `Columns for ${side}`,
      choose: (name) => chooseValues({ [side]: name, root: layer().published.root }),
    });
  const boxes = { x: columnBox("x"), y: columnBox("y") };
  const reduction = new ReductionPicker(find(form, '[data-for="agg"]', HTMLElement), figure.section, (agg) =>
    chooseValues({ agg }),
  );
  const filter = new FilterField(find(form, '[data-for="filter"]', HTMLElement), (text) =>
    figure.choose(at, { filter: text }),
  );
  const options = figure.layers.map(({ columns }) =>
    columnOptions(
      columns.filter((column) => column.plottable),
      columns,
    ),
  );
  const show = () => {
    const { choice, columns } = layer();
    for (const side of /** @type {const} */ (["x", "y"])) {
      boxes[side].show(options[at], choice[side]);
      fillAxes(figure, select(`${side}axis`), side);
    }
    reduction.show(choice, columns);
    filter.show(choice.filter);
    for (const name of /** @type {const} */ (["glyph", "cmap", "how"])) select(name).value = choice[name];
    const isPlain = choice.glyph !== "points";
    find(form, '[data-for="y"]', HTMLElement).hidden = isBars(choice.glyph);
    find(form, '[data-for="agg"]', HTMLElement).hidden = choice.glyph === "line";
    find(form, '[data-for="how"]', HTMLElement).hidden = isPlain;
    find(form, '[data-for="cmap"]', HTMLElement).hidden = isPlain || choice.agg.startsWith("by(");
    find(form, '[data-act="clip"]', HTMLElement).hidden = isPlain;
    showClip(form, layer());
  };
  show();
  figure.addEventListener("choice", show);
  figure.addEventListener("info", () => {
    for (const side of /** @type {const} */ (["x", "y"])) fillAxes(figure, select(`${side}axis`), side);
  });
  figure.addEventListener("refused", (event) => {
    const { detail } = /** @type {CustomEvent<Refusal>} */ (event);
    noteRefusal(detail);
    if (detail.field === "filter" && detail.layer === layer())
      filter.refuse(detail.definition.filter ?? "", { error: detail.error, at: detail.at ?? null });
  });
  select("layer").addEventListener("change", () => {
    at = Number(select("layer").value);
    show();
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  for (const name of /** @type {const} */ (["cmap", "how", "glyph"])) {
    select(name).addEventListener("change", () => {
      /** @type {Partial<Choice>} */
      const change = { [name]: select(name).value };
      if (name === "glyph") {
        const { glyph, agg } = layer().published;
        change.agg = glyph === change.glyph ? agg : defaultAgg(select(name).value);
        const { columns, choice } = layer();
        if (!isBars(change.glyph) && choice.y === "")
          change.y = columns.find((each) => each.plottable && each.name !== choice.x)?.name ?? choice.x;
      }
      figure.choose(at, change);
    });
  }
  // The axes belong to the figure: all of its layers use them.
  for (const name of /** @type {const} */ (["xaxis", "yaxis"])) {
    select(name).addEventListener("change", () => {
      const { value } = select(name);
      const side = name === "xaxis" ? "x" : "y";
      figure.chooseEach((each) => ({ [name]: value === defaultKind(each, side) ? null : value }));
    });
  }
  bindClip(figure, form, () => at);
}

/**
 * What the server says of a layer that it does not draw.
 * @typedef {{layer: import("../../layers/layer.js").Layer, definition: import("../../wire/frames.js").Definition,
 *   error: string, field?: string|null, at?: number|null}} Refusal
 */

/**
 * A column whose values cannot be categories, as the server found, is not offered for them again.
 * @param {Refusal} refusal
 */
export function noteRefusal({ layer: { columns, drawn }, definition: { x, y, agg }, error, field }) {
  const { name, column } = readReduction(agg) ?? {};
  if (field === "filter" || name !== "by" || x !== drawn.x || y !== drawn.y) return;
  for (const each of columns) if (each.name === column) each.by_reason = error;
}

/** @param {Figure} figure @param {HTMLSelectElement} select */
function fillLayers(figure, select) {
  const label = select.closest("label");
  if (label) label.hidden = figure.layers.length < 2;
  setOptions(
    select,
    figure.layers.map((l, k) => new Option(`${k + 1}: ${l.spec.y || l.spec.x}`, String(k))),
  );
}

/**
 * The kinds of axis that every layer's column can go on; hidden where there is no choice, or where another figure
 * shares the range.
 * @param {Figure} figure
 * @param {HTMLSelectElement} select
 * @param {"x"|"y"} side
 */
function fillAxes(figure, select, side) {
  const [first, ...others] = figure.layers.map((layer) => axisKinds(layer, side));
  const kinds = first.filter((kind) => others.every((allowed) => allowed.includes(kind)));
  if (select.options.length !== kinds.length || kinds.some((kind, k) => select.options[k].value !== kind))
    setOptions(
      select,
      kinds.map((kind) => new Option(kind, kind)),
    );
  select.value = axisKind(figure.main, side);
  const label = select.closest("label");
  const linked = [...figure.ranges[side].data.keys()].some((layer) => !figure.layers.some((own) => own === layer));
  if (label) label.hidden = kinds.length < 2 || linked;
}

// Clipping.

/** @param {import("../../layers/layer.js").Layer} layer @returns {string} the ends of its colours */
function clipWords({ choice: { low, high }, words }) {
  const ends = [low, high];
  const told = words.apart(ends.filter(isValue));
  const [first, last] = ends.map((end) => (isValue(end) ? told.shift() : end && `${end.percentile} %`));
  return `${first || "lowest"} to ${last || "highest"}`;
}

/** @param {HTMLFormElement} form @param {import("../../layers/layer.js").Layer} layer */
function showClip(form, layer) {
  const button = find(form, '[data-act="clip"]', HTMLButtonElement);
  const on = layer.choice.low !== null || layer.choice.high !== null;
  button.classList.toggle("on", on);
  // The ends are in the title: a longer text here would break the row of controls, and a second row moves the plot.
  find(button, ".value", HTMLElement).textContent = on ? "on" : "off";
  button.title = on ? clipWords(layer) : "";
}

/** @param {Figure} figure @param {HTMLFormElement} form @param {() => number} at the layer of the form */
function bindClip(figure, form, at) {
  const button = find(form, '[data-act="clip"]', HTMLButtonElement);
  const popover = find(figure.section, '[data-menu="clip"]', HTMLElement);
  ownPopover(popover, button);
  const inputs = {
    low: find(popover, '[name="low"]', HTMLInputElement),
    high: find(popover, '[name="high"]', HTMLInputElement),
  };
  const show = () => {
    const { choice } = figure.layers[at()];
    for (const end of /** @type {const} */ (["low", "high"])) {
      const clip = choice[end];
      if (document.activeElement !== inputs[end])
        inputs[end].value = clip === null ? "" : isValue(clip) ? String(clip) : `${clip.percentile} %`;
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
  find(popover, '[data-clip="off"]', HTMLButtonElement).addEventListener("click", () =>
    figure.choose(at(), { low: null, high: null }),
  );
}

/**
 * @param {string} text
 * @returns {import("../../render/norm.js").Clip|undefined} a value, a percentile ("1 %"), null for nothing; undefined
 *   when it is neither
 */
export function readClip(text) {
  const words = text.trim();
  if (words === "") return null;
  const share = /^(.*\S)\s*%$/.exec(words);
  const value = readValue((share ? share[1] : words).replaceAll(/[\u00a0 ,_]/g, ""));
  if (value === null) return undefined;
  if (!share) return value;
  return value >= 0 && value <= 100 ? { percentile: Number(value) } : undefined;
}
