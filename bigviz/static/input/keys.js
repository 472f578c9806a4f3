// The meaning of keys pressed on a plot.

/** What the keys of a plot mean.
 * @typedef {{
 *   pan: (x: number, y: number, time: number) => void,
 *   zoom: (factor: number, time: number) => void,
 *   act: (name: string, time: number, shift: boolean) => void,
 * }} Keys  pan in shares of the plot: (0.1, 0) shows what lies a tenth to the right
 */

const STEP = 0.1;
const FAR = 0.5;
const KEY_ZOOM = 1.5;
/** @type {Readonly<Record<string, [number, number]>>} */
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
/** @type {Readonly<Record<string, string>>} */
const ACTS = {
  0: "home",
  Home: "home",
  f: "full",
  s: "save",
  b: "box",
  e: "select",
  o: "lasso",
  v: "view",
  i: "inspect",
  c: "read",
  y: "follow",
  l: "live",
  "?": "help",
  Enter: "enter",
  Escape: "escape",
};

/** @param {HTMLElement} surface @param {Keys} keys */
export function listenKeys(surface, keys) {
  surface.addEventListener("keydown", (e) => {
    // Enter on a button within the plot is the button's.
    if (e.ctrlKey || e.metaKey || (e.key === "Enter" && e.target !== surface)) return;
    const arrow = ARROWS[e.key];
    const name = ACTS[e.key.length === 1 ? e.key.toLowerCase() : e.key];
    if (arrow && e.altKey) {
      if (arrow[0] === 0) return;
      keys.act(arrow[0] < 0 ? "undo" : "redo", e.timeStamp, false);
    } else if (arrow) {
      const step = e.shiftKey ? FAR : STEP;
      keys.pan(arrow[0] * step, arrow[1] * step, e.timeStamp);
    } else if (e.altKey) return;
    else if (e.key === "+" || e.key === "=") keys.zoom(1 / KEY_ZOOM, e.timeStamp);
    else if (e.key === "-" || e.key === "_") keys.zoom(KEY_ZOOM, e.timeStamp);
    else if (name) keys.act(name, e.timeStamp, e.shiftKey);
    else return;
    e.preventDefault();
  });
}
