// Drags that select: a box, or a lasso whose path is drawn while it grows.

import { find } from "../dom.js";
import { span } from "../geometry/span.js";
import { outlineOf } from "../figure/rows/selection.js";

/** @typedef {import("../figure/figure.js").Figure} Figure */
/** @typedef {import("../figure/rows/selection.js").Region} Region */
/** A place in device pixels of the plot.  @typedef {[number, number]} Spot */

/** Points of a lasso are so many CSS pixels apart, and so many at most. */
const STEP = 3;
const MOST = 2000;
const LEAST = 4;

export class SelectTool {
  /** @param {Figure} figure */
  constructor(figure) {
    this.figure = figure;
    this.selection = figure.selection;
    const { surface } = figure;
    this.svg = find(surface, "svg.selected", SVGSVGElement);
    this.outline = find(this.svg, "polygon", SVGPolygonElement);
    this.path = find(this.svg, "polyline", SVGPolylineElement);
    /** @type {Spot[]} */ this.points = [];
    const draw = () => this.#draw();
    for (const each of [figure.selection, figure.inspected]) each.addEventListener("change", draw);
    figure.addEventListener("frame", draw);
  }

  /** A lasso grows.  @param {Spot} from @param {Spot} to */
  grow(from, to) {
    const { dpr } = this.figure.painter.size;
    if (this.points.length === 0) this.points.push(from);
    const [x, y] = this.points[this.points.length - 1];
    if (Math.hypot(to[0] - x, to[1] - y) >= STEP * dpr && this.points.length < MOST) this.points.push(to);
    this.path.setAttribute("points", textOf(this.points, dpr));
  }

  /** The lasso is closed.  @returns {boolean} rows are selected: it was no slip */
  close() {
    const { figure, points } = this;
    const { view } = figure;
    this.cancel();
    if (!view || points.length < 3 || spread(points) < LEAST * figure.painter.size.dpr) return false;
    this.selection.select({
      kind: "lasso",
      points: points.map(([px, py]) => ({
        x: { origin: view.x.origin, offset: view.xAt(px) },
        y: { origin: view.y.origin, offset: view.yAt(py) },
      })),
    });
    return true;
  }

  /** @param {Spot} a @param {Spot} b opposite corners */
  box([ax, ay], [bx, by]) {
    const { view } = this.figure;
    if (!view) return;
    const [left, right] = [Math.min(ax, bx), Math.max(ax, bx)].map((px) => view.xAt(px));
    const [top, bottom] = [Math.min(ay, by), Math.max(ay, by)].map((py) => view.yAt(py));
    const { x, y } = view;
    this.selection.select({
      kind: "box",
      x: span(left, right, x.origin, x.exact),
      y: span(bottom, top, y.origin, y.exact),
    });
  }

  cancel() {
    this.points = [];
    this.path.removeAttribute("points");
  }

  #draw() {
    const { view, painter, inspected } = this.figure;
    const region = this.selection.region ?? inspected.region;
    const points = region && region.part !== "view" && view ? textOf(outlineOf(region, view), painter.size.dpr) : "";
    if (this.outline.getAttribute("points") !== points) this.outline.setAttribute("points", points);
  }
}

/** @param {readonly Spot[]} points @param {number} dpr @returns {string} */
const textOf = (points, dpr) => points.map(([x, y]) => `${(x / dpr).toFixed(1)},${(y / dpr).toFixed(1)}`).join(" ");

/** @param {readonly Spot[]} points @returns {number} the longer side of their box */
function spread(points) {
  const [xs, ys] = [points.map(([x]) => x), points.map(([, y]) => y)];
  return Math.max(Math.max(...xs) - Math.min(...xs), Math.max(...ys) - Math.min(...ys));
}
