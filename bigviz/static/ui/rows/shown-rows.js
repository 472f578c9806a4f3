// The rows that a table shows, as text: for the clipboard, and as a file.

/** @typedef {import("../../wire/selections.js").RowPage} RowPage */

/** What a spreadsheet would run. */
const FORMULA = /^[=+\-@\t\r]/;
const NUMBER = /^-?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;

/** A line of names and a line a row, with tabs between.  @param {RowPage} page @returns {string} */
export function asTabs({ columns, rows, row }) {
  const clean = (/** @type {string|null} */ text) => (text ?? "").replace(/[\t\r\n]+/g, " ");
  const lines = rows.map((values, k) => [String(row[k]), ...values.map(clean)].join("\t"));
  return [["row", ...columns.map(({ name }) => clean(name))].join("\t"), ...lines].join("\n");
}

/**
 * The same as CSV; a text that a spreadsheet would take for a formula begins with an apostrophe.
 * @param {RowPage} page @returns {string}
 */
export function asCsv({ columns, rows, row }) {
  const lines = rows.map((values, k) => [String(row[k]), ...values.map(cell)].join(","));
  return `${[["row", ...columns.map(({ name }) => cell(name))].join(","), ...lines].join("\n")}\n`;
}

/** @param {string|null} text @returns {string} */
function cell(text) {
  if (text === null) return "";
  const plain = FORMULA.test(text) && !NUMBER.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(plain) || plain === "" ? `"${plain.replaceAll('"', '""')}"` : plain;
}

/** Offers a text as a file.  @param {string} text @param {string} name */
export function download(text, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "text/csv;charset=utf-8" }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
