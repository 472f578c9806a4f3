// What shows where the pointer's tooltip is of: a crosshair, and a dot on a row or an outline of a cell.

import { find } from "../dom.js";

/** @typedef {import("../layers/cell-hit.js").Hit} Hit */

/** Cells smaller than this are marked by nothing: the crosshair says where they are. */
const LEAST_MARK = 5;

export class HoverMark {
  /** @param {HTMLElement} surface of a figure */
  constructor(surface) {
    this.hairX = find(surface, ".hair-x", HTMLElement);
    this.hairY = find(surface, ".hair-y", HTMLElement);
    this.mark = find(surface, ".mark", HTMLElement);
  }

  /** What is hidden is left alone: browsers find the style of an element anew even where an attribute is set to what it
   * is, and a drag hides these with each move. */
  hide() {
    for (const part of [this.hairX, this.hairY, this.mark]) if (!part.hidden) part.hidden = true;
  }

  /** @param {number} px @param {number} py CSS pixels of the plot */
  cross(px, py) {
    this.hairX.hidden = false;
    this.hairY.hidden = false;
    this.hairX.style.transform = `translateX(${Math.round(px)}px)`;
    this.hairY.style.transform = `translateY(${Math.round(py)}px)`;
  }

  /**
   * @param {number} px
   * @param {number} py CSS pixels of the plot
   * @param {boolean} ring around what has its own colour
   */
  dot(px, py, ring) {
    const { mark } = this;
    mark.className = ring ? "mark dot ring" : "mark dot";
    mark.style.width = "";
    mark.style.height = "";
    mark.style.setProperty("--dot", "var(--accent)");
    mark.style.transform = `translate(${px}px, ${py}px)`;
    mark.hidden = false;
  }

  /**
   * @param {Pick<Hit, "x"|"y"|"exact">|null} hit @param {import("../geometry/view.js").View} view @param {number} dpr
   */
  outline(hit, view, dpr) {
    const { mark } = this;
    mark.hidden = true;
    if (!hit?.exact) return;
    const [left, right] = hit.x.map((offset) => view.px(view.x.origin, offset) / dpr);
    const [bottom, top] = hit.y.map((offset) => view.py(view.y.origin, offset) / dpr);
    if (right - left < LEAST_MARK && bottom - top < LEAST_MARK) return;
    mark.className = "mark";
    mark.style.transform = `translate(${left}px, ${top}px)`;
    mark.style.width = `${right - left}px`;
    mark.style.height = `${bottom - top}px`;
    mark.hidden = false;
  }
}
