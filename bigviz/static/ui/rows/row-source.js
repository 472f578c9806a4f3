// Where the rows of a table come from: pages of a selection, or the first rows of a box by a column, which the server
// finds among any number of them.

import { shapeOf } from "../../figure/rows/selection.js";
import { TIMES } from "../../wire/column-kinds.js";

/** @typedef {import("../../figure/rows/selection.js").Selection} Selection */
/** @typedef {import("../../wire/selections.js").RowPage} RowPage */
/** @typedef {import("./rows-table.js").Wanted} Wanted */

/** Selections of more rows are not sorted as a whole, nor listed before the viewer wants to see them. */
export const MANY = 1 << 20;
/** Columns of a row that are shown. */
const MOST_COLUMNS = 40;

export class RowSource {
  /** @param {{readonly firstLayer: number, readonly inspected: Selection}} figure */
  constructor(figure) {
    this.figure = figure;
    /** The first rows that came last, and what they are of.
     * @type {{key: string, rows: Omit<RowPage, "offset">}|null} */
    this.first = null;
  }

  /**
   * @param {Selection} shown @param {Wanted} wanted @param {AbortSignal} signal @returns {Promise<RowPage>}
   * @throws {Error} with the server's words
   */
  async load(shown, wanted, signal) {
    const { answer, region, layer, requests } = shown;
    const isInspected = shown === this.figure.inspected;
    const isWhole = (answer?.rows ?? 0) <= MANY || (!isInspected && wanted.sort === null);
    if (isWhole || region?.kind !== "box" || layer.definition?.glyph !== "points" || !layer.info)
      return requests.rows(answer?.id ?? "", wanted, signal);
    const { definition, info } = layer;
    const { sort, desc, offset, limit } = wanted;
    const key = JSON.stringify([answer?.id, sort, desc]);
    if (this.first?.key !== key) {
      const shape = shapeOf(region, TIMES.has(info.x.kind), TIMES.has(info.y.kind));
      const box = "box" in shape ? shape.box : [];
      const columns = columnsOf(layer);
      const number = this.figure.firstLayer + layer.index;
      try {
        this.first = { key, rows: await requests.firstRows(number, definition, box, { sort, desc, columns }, signal) };
      } catch (error) {
        if (signal.aborted || sort !== null) throw error;
        return requests.rows(answer?.id ?? "", wanted, signal); // of one of the columns nothing can be read
      }
    }
    const { columns, rows, row, total } = this.first.rows;
    const end = offset + limit;
    const page = { columns, rows: rows.slice(offset, end), row: row.slice(offset, end), offset };
    return { ...page, total: rows.length, all: total };
  }
}

/** The layer's own first.  @param {import("../../layers/layer.js").Layer} layer @returns {string[]} */
function columnsOf({ definition, columns }) {
  const names = columns.map(({ name }) => name);
  const own = [definition?.x ?? "", definition?.y ?? ""].filter((name) => names.includes(name));
  return [...new Set([...own, ...names])].slice(0, MOST_COLUMNS);
}
