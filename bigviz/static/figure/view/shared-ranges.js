// The ranges that a document's figures name.

import { SharedRange } from "../../geometry/shared-range.js";

/** @typedef {import("../../types.js").DocumentSpec} DocumentSpec */
/** @typedef {import("../../types.js").FigureSpec} FigureSpec */

/**
 * Ranges by name: those that the document declares, and others when they are first needed.
 * @param {DocumentSpec["ranges"]} declared
 * @param {readonly FigureSpec[]} figures
 * @returns {(name: string) => SharedRange}
 */
export function sharedRanges(declared, figures) {
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  const isCalm = () => calm.matches;
  const windows = new Map(figures.flatMap(({ x_range, follow }) => (follow ? [[x_range, follow.window]] : [])));
  /** @type {Map<string, SharedRange>} */ const ranges = new Map();
  return (name) => {
    const said = declared[name] ?? { start: null, end: null };
    const range = ranges.get(name) ?? new SharedRange(said, { window: windows.get(name) ?? null, isCalm });
    ranges.set(name, range);
    return range;
  };
}
