// The figures of a document, where its layout has placed them.

import { Figure } from "./figure.js";
import { sharedRanges } from "./view/shared-ranges.js";

/** `row`: which row of the layout it stands in; null: alone.
 * @typedef {{spec: import("../types.js").FigureSpec, section: HTMLElement, row: string|null}} Placed */

/**
 * @param {import("../types.js").DocumentSpec} document
 * @param {readonly Placed[]} placed
 * @param {import("./page.js").Page} page
 * @returns {Figure[]} those of hidden tabs are asleep
 */
export function makeFigures(document, placed, page) {
  const rangeOf = sharedRanges(
    document.ranges,
    placed.map((each) => each.spec),
  );
  let firstLayer = 0;
  const figures = placed.map(({ spec, section }, index) => {
    const [x, y] = [rangeOf(spec.x_range), rangeOf(spec.y_range)];
    const figure = new Figure({ page, index, firstLayer, spec, section, x, y });
    firstLayer += spec.layers.length;
    figure.isAsleep = section.closest("[hidden]") !== null;
    return figure;
  });
  standInLine(
    figures,
    placed.map(({ row }) => row),
  );
  return figures;
}

/**
 * Figures of one row keep the edges of their plots in line.
 * @param {readonly Figure[]} figures
 * @param {readonly (string|null)[]} rows of each; null: it stands alone
 */
function standInLine(figures, rows) {
  for (const [k, figure] of figures.entries()) {
    figure.beside = rows[k] === null ? [] : figures.filter((other, n) => other !== figure && rows[n] === rows[k]);
    figure.addEventListener("info", () => {
      for (const other of figure.beside) other.resize();
    });
  }
}
