// What a cell holds, as a reduction and its column; or as text, which can express any reduction and is the value of the
// form's `agg`.

import { find } from "../../dom.js";
import { Combobox } from "./combobox.js";
import { columnsFor, readReduction, reductionsOf, reductionText, startColumn } from "./reduction-text.js";
import { columnOptions, setOptions } from "./options.js";

/** @typedef {import("../../layers/layer.js").Choice} Choice */
/** @typedef {import("../../layers/layer.js").Column} Column */

const WORDS = new Map([
  ["count", "count"],
  ["by", "count by"],
]);
/** Stands for a reduction that only text can express. */
const WRITTEN = "";

export class ReductionPicker {
  /**
   * @param {HTMLElement} group of its controls
   * @param {HTMLElement} host where lists are kept
   * @param {(agg: string) => void} choose is called with the user's choice
   */
  constructor(group, host, choose) {
    this.group = group;
    this.tell = choose;
    this.select = find(group, '[name="reduction"]', HTMLSelectElement);
    this.text = find(group, '[name="agg"]', HTMLInputElement);
    this.of = new Combobox(find(group, '[name="of"]', HTMLInputElement), host, {
      label: "Column of the reduction",
      choose: (column) => this.#choose({ name: this.select.value, column }),
    });
    /** @type {Column[]} */ this.columns = [];
    /** How many of them cannot be categories. */ this.unfit = 0;
    /** @type {Pick<Choice, "x"|"y"|"agg">} */ this.choice = { x: "", y: "", agg: "" };
    /** Columns that the reduction takes.  @type {import("./suggest.js").Option[]} */ this.options = [];
    /** Columns chosen before, the last first.  @type {string[]} */ this.before = [];
    this.select.addEventListener("change", () => this.#start(this.select.value));
    this.text.addEventListener("change", () => this.#write());
    this.text.addEventListener("focus", () => this.text.select());
    this.text.addEventListener("keydown", (event) => {
      if (event.key === "Enter") this.#write();
      else if (event.key === "Escape") this.text.value = this.choice.agg;
      else return;
      event.preventDefault();
    });
  }

  /** @param {Pick<Choice, "x"|"y"|"agg">} choice @param {Column[]} columns */
  show(choice, columns) {
    this.choice = choice;
    const { agg } = choice;
    const reduction = readReduction(agg);
    const unfit = columns.filter((column) => column.by_reason).length;
    const isSame =
      columns === this.columns && unfit === this.unfit && this.group.dataset.name === (reduction?.name ?? "");
    this.columns = columns;
    this.unfit = unfit;
    if (reduction?.column != null)
      this.before = [reduction.column, ...this.before.filter((each) => each !== reduction.column)];
    if (!isSame) this.#fill(reduction?.name ?? null);
    this.select.value = reduction?.name ?? WRITTEN;
    this.group.toggleAttribute("data-written", reduction === null);
    this.group.dataset.name = reduction?.name ?? "";
    find(this.group, ".of", HTMLElement).hidden = reduction?.column == null;
    if (reduction?.column != null) this.of.show(this.options, reduction.column);
    this.text.value = agg;
    this.text.title = `The reduction as text: ${agg}`;
  }

  /**
   * The reductions that the columns allow, and the columns that one takes.
   * @param {string|null} name null: of one that only its text can say
   */
  #fill(name) {
    const { columns } = this;
    const names = reductionsOf(columns);
    if (name !== null && !names.includes(name)) names.push(name);
    const options = names.map((each) => new Option(WORDS.get(each) ?? each, each));
    if (name === null) options.push(new Option("as written", WRITTEN));
    setOptions(this.select, options);
    this.options = name === null ? [] : columnOptions(columnsFor(columns, name), columns, name === "by");
  }

  /** @param {string} name of the reduction chosen in its list */
  #start(name) {
    if (name === WRITTEN) return;
    const { x, y } = this.choice;
    this.#choose({ name, column: startColumn(this.columns, name, { x, y, before: this.before }) });
  }

  /** Takes the text; an empty one is given up. */
  #write() {
    const agg = this.text.value.trim();
    if (agg === "") this.text.value = this.choice.agg;
    else if (agg !== this.choice.agg) this.tell(agg);
  }

  /** @param {import("./reduction-text.js").Reduction} reduction */
  #choose(reduction) {
    this.tell(reductionText(reduction));
  }
}
