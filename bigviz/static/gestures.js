// Ties one figure's gestures and keys to its view, its colour bar and its cursor.

import { listenKeys, Pointer } from "./pointer.js";
import { find } from "./dom.js";

/** @typedef {import("./figure.js").Figure} Figure */
/** @typedef {import("./pointer.js").Region} Region */

const LEAST_BOX = 6;
const LEAST_BAR = 4;
/** Room round the colour bar in which it can be grasped. */
const BAR_REACH = 9;
const CURSOR_STEP = 0.01;
const CURSOR_FAR = 0.1;

/**
 * @param {Figure} figure @param {import("./hover.js").Hover} hover
 * @param {(name: string, shift: boolean, time: number) => void} act what the toolbar does too: save, full, help, box, undo …
 */
export function bindGestures(figure, hover, act) {
  const { surface, painter } = figure;
  const box = find(surface, ".overlay .box", HTMLElement);
  const toDevice = (/** @type {number} */ px, /** @type {number} */ py) => {
    const { plot } = painter;
    const { dpr } = painter.size;
    return /** @type {[number, number]} */ ([(px - plot.x) * dpr, (py - plot.y) * dpr]);
  };
  const clipped = (/** @type {[number, number]} */ [px, py]) => {
    const { plot } = painter;
    return /** @type {[number, number]} */ ([Math.max(plot.x, Math.min(plot.x + plot.width, px)), Math.max(plot.y, Math.min(plot.y + plot.height, py))]);
  };
  const pan = (/** @type {number} */ dx, /** @type {number} */ dy, /** @type {number} */ time) => {
    if (figure.view) figure.show(figure.view.pan(dx, dy), time);
  };
  const zoom = (/** @type {number} */ fx, /** @type {number} */ fy, /** @type {number} */ px, /** @type {number} */ py, /** @type {number} */ time) => {
    if (figure.view) figure.show(figure.view.zoom(fx, fy, px, py), time);
  };
  const showBox = (/** @type {[number, number]} */ a, /** @type {[number, number]} */ b) => {
    box.hidden = false;
    box.style.transform = `translate(${Math.min(a[0], b[0])}px, ${Math.min(a[1], b[1])}px)`;
    box.style.width = `${Math.abs(a[0] - b[0])}px`;
    box.style.height = `${Math.abs(a[1] - b[1])}px`;
  };

  const pointer = new Pointer(surface, {
    region: (px, py) => regionAt(figure, px, py),
    boxMode: () => surface.dataset.mode === "box",
    pan: (dx, dy, time) => {
      const { dpr } = painter.size;
      pan(dx * dpr, dy * dpr, time);
      hover.hide();
    },
    zoom: (fx, fy, px, py, time) => {
      const [x, y] = toDevice(px, py);
      zoom(fx, fy, x, y, time);
    },
    box: (from, to, done, time) => {
      const [a, b] = [clipped(from), clipped(to)];
      hover.hide();
      if (!done) {
        showBox(a, b);
        return;
      }
      box.hidden = true;
      if (Math.abs(a[0] - b[0]) < LEAST_BOX || Math.abs(a[1] - b[1]) < LEAST_BOX || !figure.view) return;
      figure.show(figure.view.box(...toDevice(...a), ...toDevice(...b)), time);
      figure.settleHistory();
    },
    unbox: () => {
      box.hidden = true;
    },
    reset: (region, time) => {
      if (region === "bar") figure.choose(0, { low: null, high: null });
      else if (region !== "none") figure.home(region === "plot" ? "xy" : region, time);
    },
    bar: (from, to, done) => clipByBar(figure, box, from, to, done, showBox),
    hover: (px, py, region, touch) => {
      if (surface.dataset.at !== region) surface.dataset.at = region;
      hover.at(px, py, region, touch);
    },
    leave: () => hover.hide(),
    rest: () => figure.settleHistory(),
  });

  listenKeys(surface, {
    pan: (x, y, time) => {
      if (hover.reading) {
        const far = Math.max(Math.abs(x), Math.abs(y)) > 0.3;
        const step = far ? CURSOR_FAR : CURSOR_STEP;
        hover.step(Math.sign(x) * step, -Math.sign(y) * step);
      } else if (figure.view) pan(-x * figure.view.width, y * figure.view.height, time);
    },
    zoom: (factor, time) => {
      if (figure.view) zoom(factor, factor, figure.view.width / 2, figure.view.height / 2, time);
    },
    act: (name, time, shift) => {
      if (name === "escape") {
        pointer.cancel();
        box.hidden = true;
        hover.stopReading();
        if (surface.dataset.mode === "box") act("box", false, time);
      } else if (name === "read") hover.toggleReading();
      else act(name, shift, time);
    },
  });
  surface.addEventListener("blur", () => hover.stopReading());
}

/** @param {Figure} figure @param {number} px @param {number} py CSS pixels of the surface @returns {Region} */
function regionAt({ painter }, px, py) {
  const { frame } = painter;
  if (!frame) return "none";
  const { plot, bar } = frame;
  if (px >= plot.x && px <= plot.x + plot.width && py >= plot.y && py <= plot.y + plot.height) return "plot";
  if (painter.side === "bar" && px >= bar.x - BAR_REACH && px <= bar.x + bar.width + (frame.narrow ? 0 : 48) && py >= bar.y - BAR_REACH && py <= bar.y + bar.height + BAR_REACH) return "bar";
  if (py > plot.y + plot.height && px >= plot.x) return "x";
  if (px < plot.x && py <= plot.y + plot.height) return "y";
  return "none";
}

/**
 * A drag along the colour bar keeps the values between its ends.
 * @param {Figure} figure @param {HTMLElement} box @param {[number, number]} from @param {[number, number]} to @param {boolean} done
 * @param {(a: [number, number], b: [number, number]) => void} showBox
 */
function clipByBar(figure, box, from, to, done, showBox) {
  const { frame } = figure.painter;
  const norm = figure.main.raster?.norm;
  if (!frame || !norm) return;
  const { bar, narrow } = frame;
  const along = (/** @type {[number, number]} */ [px, py]) => Math.max(0, Math.min(1, narrow ? (px - bar.x) / bar.width : 1 - (py - bar.y) / bar.height));
  const [a, b] = [along(from), along(to)].sort((p, q) => p - q);
  if (!done) {
    const corner = (/** @type {number} */ f, /** @type {number} */ side) =>
      /** @type {[number, number]} */ (narrow ? [bar.x + f * bar.width, bar.y - 3 + side * (bar.height + 6)] : [bar.x - 3 + side * (bar.width + 6), bar.y + (1 - f) * bar.height]);
    showBox(corner(a, 0), corner(b, 1));
    return;
  }
  box.hidden = true;
  if ((b - a) * (narrow ? bar.width : bar.height) < LEAST_BAR) return;
  figure.choose(0, { low: a < 0.005 ? figure.main.choice.low : norm.value(a), high: b > 0.995 ? figure.main.choice.high : norm.value(b) });
}
