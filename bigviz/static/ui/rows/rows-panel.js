// The rows behind a plot, in the panel at its side: those that are selected, with statistics, or, as an inspector,
// those in view or in a cell; the columns of the row that was clicked; and files of them.

import { find, make, textButton } from "../../dom.js";
import { regionRows } from "../../figure/rows/region-estimate.js";
import { progressWords, short } from "../status/figure-state.js";
import { fileName } from "../save-png.js";
import { RowColumns, rowText } from "./row-columns.js";
import { MANY, RowSource } from "./row-source.js";
import { RowsTable } from "./rows-table.js";
import { asCsv, asTabs, download } from "./shown-rows.js";
import { SidePanel } from "./side-panel.js";
import { Statistics } from "./statistics.js";
import { narrowed } from "../../layers/rows/value-filter.js";

/** @typedef {import("../../figure/figure.js").Figure} Figure */
/** @typedef {import("../../figure/rows/selection.js").Selection} Selection */
/** @typedef {import("../../wire/selections.js").Selected} Selected */
/** @typedef {import("../../wire/row-values.js").RowValues} RowValues */
/** @typedef {import("../../layers/layer.js").Layer} Layer */
/** @typedef {import("../../layers/cell-hit.js").Hit} Hit */
/** @typedef {import("../../input/bar-facts.js").Fact} Fact */

const FILES = /** @type {const} */ (["csv", "parquet", "arrow"]);
/** Selecting that takes longer is told of, so often. */
const TICK_MS = 300;

export class RowsPanel {
  /** @param {Figure} figure @param {{say: (words: string) => void}} o `say`: to screen readers */
  constructor(figure, { say }) {
    const { section } = figure;
    this.figure = figure;
    this.say = say;
    this.side = new SidePanel(section, () => this.close());
    const { element } = this.side;
    this.title = find(element, "h3", HTMLElement);
    this.note = find(element, ".side-note", HTMLElement);
    this.busy = find(element, ".side-busy", HTMLElement);
    this.actions = find(element, ".side-actions", HTMLElement);
    this.facts = find(element, ".side-facts", HTMLDetailsElement);
    this.list = find(element, ".side-rows", HTMLDetailsElement);
    const copyRow = (/** @type {RowValues} */ values) => void this.#copy(rowText(values), "The row");
    this.columns = new RowColumns(find(element, ".side-row", HTMLElement), {
      filter: (layer, filter) => figure.choose(layer.index, { filter }),
      copy: (text, what) => void this.#copy(text, what),
    });
    this.source = new RowSource(figure);
    this.table = new RowsTable(this.list, {
      load: (wanted, signal) => this.source.load(this.shown, wanted, signal),
      pick: (values, byKey) => {
        this.columns.show(values, this.shown.layer);
        if (!byKey) this.columns.element.scrollIntoView({ block: "nearest" });
      },
      copy: copyRow,
      enter: () => this.columns.focus(),
      loaded: () => this.#enable(),
      again: () => this.#again(),
    });
    this.statistics = new Statistics(this.facts, () => this.shown);
    /** Rows in view or in a cell are looked into, whatever is selected or not. */ this.isInspecting = false;
    /** The rows that the table has, by the id of their selection. */ this.listed = "";
    /** @type {ReturnType<typeof setInterval>|undefined} */ this.ticking = undefined;
    figure.selection.addEventListener("change", () => this.#selected());
    figure.inspected.addEventListener("change", () => this.#show());
    figure.addEventListener("exact", () => this.#follow());
    this.#listen();
  }

  /** Rows of a view or a cell are what is shown. */
  get isOpen() {
    return this.isInspecting;
  }

  /** Whose rows are shown.  @returns {Selection} */
  get shown() {
    return this.figure.selection.region ? this.figure.selection : this.figure.inspected;
  }

  /** The columns of a row that was clicked, and the first rows of the view.  @param {RowValues} values
   * @param {Layer} layer */
  openRow(values, layer) {
    const { figure } = this;
    if (!figure.selection.region && !this.isInspecting) this.#inspect(layer, () => figure.inspected.selectView(true));
    this.columns.show(values, layer);
    this.table.mark(values.row);
    this.side.focus();
  }

  /** What is known of a cell, and its first rows.  @param {Hit} hit @param {Layer} layer
   * @param {readonly Fact[]} facts */
  openCell(hit, layer, facts) {
    this.figure.selection.clear();
    this.#inspect(layer, () => this.figure.inspected.selectCell(hit));
    this.columns.showCell(facts);
    this.side.focus();
  }

  /** The first rows of the view. */
  openView() {
    const { figure } = this;
    if (!figure.selection.region && this.figure.inspected.region?.part !== "view")
      this.#inspect(null, () => figure.inspected.selectView(true));
    this.list.open = true;
    this.side.focus();
    this.table.focus();
  }

  /** The selection goes, or the inspector. */
  close() {
    this.isInspecting = false;
    this.figure.selection.clear();
    this.figure.inspected.clear();
    this.#show();
  }

  /** @param {Layer|null} layer @param {() => void} select */
  #inspect(layer, select) {
    const { inspected } = this.figure;
    this.isInspecting = true;
    inspected.of = layer;
    inspected.described = false;
    this.columns.clear();
    this.list.after(this.facts);
    this.list.open = true;
    this.facts.open = false;
    select();
  }

  /** Something else is selected, or more is known of it. */
  #selected() {
    const { selection, inspected } = this.figure;
    if (selection.region && !selection.answer && selection.isBusy) {
      this.isInspecting = false;
      inspected.clear();
      this.columns.clear();
      this.table.clear();
      this.listed = "";
      this.facts.after(this.list);
      this.facts.open = true;
      this.list.open = true;
    }
    this.#show();
  }

  /** The inspector is of what is in view now. */
  #follow() {
    const { inspected, view, selection } = this.figure;
    if (!this.isInspecting || selection.region || !view) return;
    if (inspected.region === null || (inspected.region.part === "view" && !inspected.isOf(view)))
      inspected.selectView(true);
  }

  #show() {
    const { figure, shown, side } = this;
    const { region, answer, error, isBusy } = shown;
    const { dataset } = figure.section;
    const isSelected = shown === figure.selection;
    if (!region && !this.isInspecting) {
      this.#tick(false);
      delete dataset.selected;
      side.close(figure.surface); // while what has the focus is there
      this.listed = "";
      this.table.clear();
      this.columns.clear();
      return;
    }
    if (isSelected) dataset.selected = isBusy ? "…" : String(answer?.rows ?? "");
    else delete dataset.selected;
    side.open(isSelected ? "Selected rows" : "Inspector");
    side.element.setAttribute("aria-busy", String(isBusy));
    const closing = find(side.element, '[data-act="close-side"]', HTMLButtonElement);
    closing.ariaLabel = closing.title = isSelected ? "Clear the selection" : "Close the inspector";
    const where = placeWords(region);
    if (answer) this.title.textContent = `${rowsWords(answer.rows)} ${isSelected ? "selected" : where}`;
    else this.title.textContent = error === null ? "Selecting…" : "No rows could be selected";
    this.note.textContent = error ?? (isSelected ? where : "");
    this.note.classList.toggle("bad", error !== null);
    this.note.hidden = this.note.textContent === "";
    this.#tick(isBusy);
    this.statistics.list();
    const isPart = !isSelected && (answer?.rows ?? 0) > MANY;
    this.table.offer(
      shown.layer.columns.map(({ name }) => name),
      isPart ? "any rows" : "row order",
    );
    if (!answer || isBusy) {
      this.actions.replaceChildren(...(error === null ? [] : [this.#retry()]));
      return;
    }
    if (isSelected) this.say(error ?? this.title.textContent);
    this.#offer(answer, isSelected);
    if (error !== null) this.actions.prepend(this.#retry());
    if (shown.described) this.statistics.show(answer);
    else this.statistics.clear();
    this.list.hidden = answer.rows === 0;
    if (isSelected && answer.rows > MANY && this.listed === "") this.list.open = false;
    this.#load();
  }

  #retry() {
    return textButton("Try again", () => this.#again());
  }

  /** Tries again what failed; rows of a selection that the server has dropped are selected anew. */
  #again() {
    this.listed = "";
    this.shown.again();
    this.side.focus();
  }

  /** The table has the rows of what is shown, while it is open. */
  #load() {
    const { answer, isBusy } = this.shown;
    if (!answer || isBusy || !this.list.open || this.listed === answer.id) return;
    this.listed = answer.id;
    this.table.renew();
  }

  /** What can be done with the rows.  @param {Selected} answer @param {boolean} isSelected */
  #offer({ id, rows, expression }, isSelected) {
    const { shown, figure } = this;
    const { region } = shown;
    const found = [];
    const isView = region?.part === "view";
    if (expression !== null && shown.layer.index === 0 && !isView)
      found.push(textButton("Use as filter", () => this.#filter(expression)));
    if (region?.kind === "box" && !isView) found.push(textButton("Zoom to it", () => this.#zoom()));
    if (isSelected) found.push(textButton("All in view", () => figure.selection.selectView()));
    else if (!isView) found.push(textButton("All in view", () => figure.inspected.selectView(true)));
    const links = FILES.map((kind) =>
      make("a", {
        class: "text",
        text: kind.toUpperCase(),
        attrs: { href: shown.requests.file(id, kind), download: "" },
      }),
    );
    const isSaved = rows > 0 && shown.requests.hasFiles;
    this.actions.replaceChildren(
      ...found,
      ...(isSaved ? [make("span", { class: "muted", text: "Save" }), ...links] : []),
    );
  }

  /** @param {string} expression */
  #filter(expression) {
    const { figure } = this;
    figure.choose(0, { filter: narrowed(figure.main.choice.filter, expression) });
  }

  #zoom() {
    const { figure, shown } = this;
    const { region } = shown;
    if (region?.kind !== "box" || !figure.view) return;
    figure.followY.isWanted = false;
    figure.moves.show(figure.view.show({ x: region.x, y: region.y }), performance.now());
    figure.steps.settle();
  }

  #listen() {
    const { element } = this.side;
    this.list.addEventListener("toggle", () => this.#load());
    this.facts.addEventListener("toggle", () => {
      if (this.facts.open && !this.shown.described) this.shown.want({ described: true });
    });
    find(element, '[data-act="stop"]', HTMLButtonElement).addEventListener("click", () => {
      const { shown } = this;
      shown.cancel();
      if (!shown.region) this.close();
    });
    const act = (/** @type {string} */ name) => find(element, `[data-act="${name}"]`, HTMLButtonElement);
    act("copy-rows").addEventListener("click", () => {
      const { page } = this.table;
      if (page) void this.#copy(asTabs(page), "What the table shows");
    });
    act("save-rows").addEventListener("click", () => {
      const { page } = this.table;
      if (page) download(asCsv(page), `${fileName(this.figure.title || this.figure.page.title)}-rows.csv`);
    });
    element.addEventListener("keydown", (event) => {
      if (event.target === element && event.key.startsWith("Arrow") && !event.altKey) {
        event.preventDefault();
        this.table.focus();
      }
    });
  }

  /** The buttons for the rows that are shown. */
  #enable() {
    for (const name of ["copy-rows", "save-rows"])
      find(this.side.element, `[data-act="${name}"]`, HTMLButtonElement).disabled = this.table.page === null;
    this.table.mark(this.columns.row);
  }

  /** How long it takes is told, and about how many rows there will be.  @param {boolean} isBusy */
  #tick(isBusy) {
    if (!isBusy) {
      clearInterval(this.ticking);
      this.ticking = undefined;
      this.busy.hidden = true;
      return;
    }
    if (this.ticking !== undefined) return;
    const { shown, figure } = this;
    const { region } = shown;
    const about = region && figure.view ? regionRows(region, figure.view, shown.layer) : null;
    const words = find(this.busy, "p", HTMLElement);
    this.ticking = setInterval(() => {
      if (!this.busy.isConnected) this.#tick(false); // the page has other figures
      const { info, progress } = shown.layer; // rows are selected of what is exact: of a whole index
      const parts = [
        about === null ? "" : `about ${short(about)} rows`,
        info?.index === "building" && progress ? progressWords(progress) : "",
        `${((performance.now() - shown.since) / 1000).toFixed(1)} s`,
      ];
      words.textContent = parts.filter(Boolean).join(" · ");
      this.busy.hidden = false;
    }, TICK_MS);
  }

  /** @param {string} text @param {string} what */
  async #copy(text, what) {
    const { notices } = this.figure.page;
    try {
      await navigator.clipboard.writeText(text);
      notices.note(`${what} is on the clipboard.`);
    } catch {
      getSelection()?.selectAllChildren(this.columns.element.hidden ? this.list : this.columns.element);
      notices.note("This page may not use the clipboard: press Ctrl+C.");
    }
  }
}

/** @param {import("../../figure/rows/selection.js").Region|null} region */
function placeWords(region) {
  if (region === null || region.part === "view") return "in view";
  if (region.part === "cell") return "in the cell";
  return region.kind === "lasso" ? "in a lasso" : "in a box";
}

/** @param {number} rows @returns {string} */
const rowsWords = (rows) => `${rows.toLocaleString("en")} ${rows === 1 ? "row" : "rows"}`;
