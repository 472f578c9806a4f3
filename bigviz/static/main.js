// The page: connects, builds the document's figures, and hands messages to them.

import { rangeWords, showAbout } from "./ui/about.js";
import { AppFailure } from "./ui/app-failure.js";
import { TileCache } from "./layers/tile-cache.js";
import { find } from "./dom.js";
import { bindEstimate } from "./ui/estimate-chip.js";
import { Figure } from "./figure/figure.js";
import { FigureGestures } from "./input/gestures.js";
import { Hover } from "./input/hover.js";
import { Latency } from "./figure/latency.js";
import { bindLatencyPanel } from "./ui/latency-panel.js";
import { buildLayout } from "./ui/layout.js";
import { Notices } from "./ui/notices.js";
import { bindPickers } from "./ui/pickers.js";
import { SharedRange } from "./geometry/shared-range.js";
import { bindStrip } from "./ui/row-facts.js";
import { Theme } from "./render/theme.js";
import { bindToolbar, pageTools } from "./ui/toolbar.js";
import { Connection } from "./wire/connection.js";
import { UrlState } from "./ui/url-state.js";

/** @typedef {import("./types.js").DocumentSpec} DocumentSpec */

const notices = new Notices();
const failure = new AppFailure();
const theme = new Theme();
const latency = new Latency();
const cache = new TileCache();
const address = new URL("ws", location.href.replace(/#.*$/, ""));
address.protocol = address.protocol.replace("http", "ws");
const connection = new Connection(address.href);

/** @type {Figure[]} */
let figures = [];
/** @type {UrlState|null} */
let url = null;
/** @type {string|null} the document and columns that the figures were built from */
let built = null;

const help = () => find(document, "#help", HTMLDialogElement).showModal();
const panel = bindLatencyPanel(latency);

/** @param {import("./wire/reassembler.js").HelloMessage} hello */
function onHello({ json, luts }) {
  const columns = Object.entries(json.datasets).map(([name, dataset]) => [name, dataset.columns]);
  const text = JSON.stringify([json.document, columns]);
  if (built === null) {
    built = text;
    build(json.document, json.datasets, luts);
  } else if (built !== text) location.reload();
}

/**
 * @param {DocumentSpec} spec @param {import("./figure/page.js").Page["datasets"]} datasets @param {Map<string, Uint8Array>} luts
 */
function build(spec, datasets, luts) {
  document.title = spec.title || spec.id || "bigviz";
  find(document, "#opening", HTMLElement).remove();
  const parts = buildLayout(spec, find(document, "#layout", HTMLElement));
  const ranges = new Map(Object.entries(spec.ranges).map(([name, declared]) => [name, new SharedRange(declared)]));
  const rangeOf = (/** @type {string} */ name) => {
    const range = ranges.get(name) ?? new SharedRange({ start: null, end: null });
    ranges.set(name, range);
    return range;
  };
  const page = { connection, cache, latency, theme, notices, luts, datasets };
  figures = parts.map(({ spec: figure, section }, index) => new Figure({ page, index, spec: figure, section, x: rangeOf(figure.x_range), y: rangeOf(figure.y_range) }));
  frame(spec, figures);
  url = new UrlState(figures);
  for (const figure of figures) {
    bindPickers(figure);
    bindStrip(figure);
    bindEstimate(figure);
    const hover = new Hover(figure, (words) => notices.say(words));
    new FigureGestures(figure, hover, bindToolbar(figure, { help }));
    describe(figure);
    figure.addEventListener("exact", ready);
  }
  theme.addEventListener("change", () => {
    for (const figure of figures) figure.restyle();
  });
}

/** One figure fills the page and carries the page's buttons; several stand under a bar with the document's title.  @param {DocumentSpec} spec @param {Figure[]} all */
function frame(spec, all) {
  const bar = find(document, "#app", HTMLElement);
  const single = all.length === 1;
  bar.hidden = single;
  find(bar, "#doc-title", HTMLElement).textContent = spec.title || spec.id;
  const into = single ? find(all[0].section, ".bar", HTMLElement) : bar;
  pageTools(into, { theme, about: () => showAbout(figures), latency: panel.toggle, help });
  if (single) {
    into.prepend(find(bar, ".brand", HTMLElement));
    const title = find(all[0].section, ".title", HTMLElement);
    title.textContent ||= spec.title || spec.id;
    title.ariaLevel = "1";
  }
}

/** Keeps a figure's name for screen readers, and says where it came to rest.  @param {Figure} figure */
function describe(figure) {
  let said = "";
  const words = () => `${figure.title || "Plot"}: ${figure.axes.x.title} ${rangeWords(figure, "x")}, ${figure.axes.y.title} ${rangeWords(figure, "y")}`;
  figure.addEventListener("exact", () => figure.surface.setAttribute("aria-label", words()));
  figure.addEventListener("rest", () => {
    const now = words();
    if (said !== "" && said !== now) notices.say(now);
    said = now;
  });
}

function ready() {
  const root = document.documentElement;
  if (!root.dataset.ready && figures.every((f) => f.section.dataset.exact === "1")) root.dataset.ready = "1";
}

/** @param {string} name @param {(detail: any) => void} handler */
const on = (name, handler) => connection.addEventListener(name, (event) => handler(/** @type {CustomEvent} */ (event).detail));

on("hello", (hello) => {
  failure.clear();
  onHello(hello);
});
on("up", ({ restarted, again }) => {
  notices.up();
  for (const figure of figures) {
    figure.requests.forget();
    figure.ask(restarted || !again, true);
    figure.requests.update();
  }
});
on("down", ({ inMs, final, reason, code }) => {
  if (final) notices.error(reason || (code === 4001 ? "This document is gone." : `The server closed the connection (${code}). Reload the page to go on.`));
  else notices.down(inMs, () => connection.open());
});
on("layer", (answer) => figures[answer.figure]?.onLayer(answer));
on("progress", (answer) => answer.current && figures[answer.figure]?.onProgress(answer));
on("tile", (answer) => {
  const figure = figures[answer.figure];
  const layer = figure?.layers[answer.layer];
  if (!layer?.raster || !layer.definition || JSON.stringify(layer.definition) !== JSON.stringify(answer.definition)) return;
  const decode = layer.raster.add(answer);
  latency.arrived(answer.figure, { cost: answer.cost, sent: answer.sent, arrived: answer.arrived, decode });
  if (!answer.estimate) figure.requests.gotTile(answer.id, answer.layer, answer.key);
  figure.arrived();
});
on("columns", (answer) => {
  const figure = figures[answer.figure];
  const layer = figure?.layers[answer.layer];
  const asked = figure?.requests.gotColumns(answer.id, answer.layer, answer.estimate === null);
  if (!asked || !layer?.line || JSON.stringify(layer.definition) !== JSON.stringify(answer.definition)) return;
  const decode = layer.line.add(answer, asked);
  latency.arrived(answer.figure, { cost: answer.cost, sent: answer.sent, arrived: answer.arrived, decode });
  figure.arrived();
});
for (const kind of ["rows", "image"]) {
  on(kind, (answer) => {
    const figure = figures[answer.figure];
    const layer = figure?.layers[answer.layer];
    if (!figure?.requests.gotWindow(answer.id, answer.layer) || !layer.raster || JSON.stringify(layer.definition) !== JSON.stringify(answer.definition)) return;
    const decode = kind === "rows" ? layer.raster.addRows(answer.rows) : layer.raster.addImage(answer.image);
    latency.arrived(answer.figure, { cost: answer.cost, sent: answer.sent, arrived: answer.arrived, decode });
    figure.arrived();
  });
}
on("done", (answer) => figures[answer.figure]?.requests.done(answer.id));
on("error", (answer) => {
  if (!answer.current) return;
  if (answer.json.app) {
    failure.show(answer.json.app, built !== null);
    return;
  }
  notices.error(answer.json.error);
  const figure = figures[answer.figure];
  if (!figure) return;
  figure.requests.failed(answer.id);
  if (answer.definition) figure.onLayerError(answer);
});
on("changed", ({ json }) => {
  cache.forget(json.dataset);
  for (const figure of figures) {
    if (figure.layers.some((l) => l.spec.dataset === json.dataset)) figure.ask(true);
  }
});

// With the focus nowhere, or left on a button that was clicked, keys are for the plot under the pointer, the button's, or the only one.
document.addEventListener("keydown", (event) => {
  const { target } = event;
  if (event.defaultPrevented || !(target instanceof Element)) return;
  const free = target === document.body || (target.closest("button") && !target.closest("dialog, [popover='auto']"));
  const figure = figures.find((f) => f.surface.matches(":hover")) ?? figures.find((f) => f.section.contains(target)) ?? (figures.length === 1 ? figures[0] : null);
  if (free && figure && event.key !== "Tab") {
    if (figure.surface.dispatchEvent(new KeyboardEvent(event.type, event))) return;
    event.preventDefault();
    figure.surface.focus({ preventScroll: true });
  } else if (event.key === "?" && !target.closest("input, select, dialog")) help();
});
addEventListener("pagehide", () => {
  url?.write();
  connection.close();
});
addEventListener("pageshow", (event) => {
  if (event.persisted) connection.open();
});
for (const dialog of document.querySelectorAll("dialog")) {
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });
}
connection.open();
