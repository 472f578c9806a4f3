// Where the time of the last view went, and how the last views compare.

import { find, make } from "../../dom.js";

/** @typedef {import("../../figure/latency.js").ViewCost} ViewCost */

const KEPT = 60;
/** The bound that the history is drawn against: a view should be exact within it. */
const GOOD_MS = 60;
const STAGES = /** @type {const} */ ([
  ["queue", "Waiting in the server"],
  ["kernel", "Aggregating rows"],
  ["encode", "Encoding"],
  ["wire", "On the wire"],
  ["decode", "Decoding"],
  ["paint", "Painting"],
  ["rest", "Waiting for frames"],
]);

/**
 * @param {HTMLElement} root that holds the panel and its buttons
 * @param {import("../../figure/latency.js").Latency} latency
 * @returns {{toggle: () => void}}
 */
export function bindLatencyPanel(root, latency) {
  const panel = find(root, ".latency", HTMLElement);
  const body = find(panel, ".panel-body", HTMLElement);
  const of = find(panel, ".latency-of", HTMLElement);
  /** @type {ViewCost[]} */
  const history = [];
  const show = () => {
    const last = history.at(-1);
    if (panel.hidden) return;
    if (last)
      of.textContent =
        last.messages === 0 ? "last view, nothing asked for" : `last view, ${plural(last.messages, "request")}`;
    body.replaceChildren(
      ...(last
        ? [table(last), bars(history), facts(last)]
        : [make("p", { class: "muted", text: "Move the plot to see where the time goes." })]),
    );
  };
  latency.addEventListener("view", (event) => {
    history.push(/** @type {CustomEvent<ViewCost>} */ (event).detail);
    if (history.length > KEPT) history.shift();
    show();
  });
  const buttons = () => root.querySelectorAll('[data-act="latency"]');
  const toggle = () => {
    panel.hidden = !panel.hidden;
    for (const button of buttons()) button.setAttribute("aria-pressed", String(!panel.hidden));
    show();
  };
  find(panel, "header button", HTMLButtonElement).addEventListener("click", () => {
    toggle();
    const [button] = buttons();
    if (button instanceof HTMLElement) button.focus();
  });
  return { toggle };
}

/** @param {ViewCost} cost @returns {HTMLElement} */
function table(cost) {
  const { queue, kernel, encode, wire, decode, paint } = cost;
  const times = { ...cost, rest: Math.max(0, cost.total - queue - kernel - encode - wire - decode - paint) };
  const most = Math.max(...STAGES.map(([key]) => times[key]), 0.001);
  const rows = STAGES.map(([key, title]) => {
    const span = make("span", { class: "span" });
    span.style.width = `${(100 * times[key]) / most}%`;
    return make("tr", {}, [
      make("th", { text: title, attrs: { scope: "row" } }),
      make("td", { class: "lane" }, [span]),
      make("td", { text: ms(times[key]) }),
    ]);
  });
  const total = make("tr", { class: "total" }, [
    make("th", { text: "Input to exact picture", attrs: { scope: "row", colspan: "2" } }),
    make("td", { text: ms(cost.total) }),
  ]);
  return make("table", { class: "stages" }, [make("tbody", {}, [...rows, total])]);
}

/** @param {readonly ViewCost[]} history @returns {HTMLElement} */
function bars(history) {
  const most = Math.max(GOOD_MS, ...history.map((v) => v.total));
  const words = `The last ${plural(history.length, "view")}: ${history
    .slice(-5)
    .map((v) => ms(v.total))
    .join(", ")}`;
  const box = make("div", { class: "history", attrs: { role: "img", "aria-label": words, title: words } });
  for (const { total } of history) {
    const bar = make("i");
    bar.style.height = `${Math.max(3, (100 * total) / most)}%`;
    box.append(bar);
  }
  return box;
}

/** @param {ViewCost} cost @returns {HTMLElement} */
function facts(cost) {
  const parts = [
    plural(cost.tiles, "tile"),
    `${cost.rows.toLocaleString("en")} rows and ${bytes(cost.bytes)} touched`,
    `level ${cost.zx}, ${cost.zy}`,
  ];
  return make("p", { class: "facts", text: parts.join(" · ") });
}

/** @param {number} value @returns {string} */
function ms(value) {
  return `${value < 9.95 ? value.toFixed(1) : Math.round(value).toLocaleString("en")} ms`;
}

/** @param {number} n @returns {string} */
export function bytes(n) {
  if (n < 1024) return `${n} B`;
  const power = Math.min(4, Math.floor(Math.log2(n) / 10));
  return `${(n / 2 ** (10 * power)).toFixed(1)} ${["B", "KiB", "MiB", "GiB", "TiB"][power]}`;
}

/** @param {number} n @param {string} what @returns {string} */
function plural(n, what) {
  return `${n.toLocaleString("en")} ${what}${n === 1 ? "" : "s"}`;
}
