// The legend of categories as their control: a press hides one, or shows it again; a double press keeps only this one.
// Their planes are in the page, so nothing is read for it.

import { labelWords } from "../../axes/label-words.js";
import { find, make, ownPopover, roving } from "../../dom.js";
import { readLabels, writeLabels } from "../../layers/hidden-labels.js";
import { GLASBEY } from "../../render/palette.js";

/** @typedef {import("../../figure/figure.js").Figure} Figure */
/** @typedef {import("../../figure/legend/legend.js").KeyPlaces} KeyPlaces */

/**
 * What `hide` is after a press on a category.
 * @param {readonly string[]} labels of all categories
 * @param {readonly string[]} hidden
 * @param {string} label
 * @param {boolean} only keep this one alone; where it is alone, show all
 * @returns {string[]} in the order of the categories
 */
export function pressed(labels, hidden, label, only) {
  const now = new Set(hidden);
  if (only) {
    const isAlone = labels.every((each) => (each === label) !== now.has(each));
    return isAlone ? [] : labels.filter((each) => each !== label);
  }
  if (!now.delete(label)) now.add(label);
  return labels.filter((each) => now.has(each));
}

/** @param {Figure} figure @param {(words: string) => void} say to screen readers */
export function bindCategoryKeys(figure, say) {
  const keys = new CategoryKeys(figure, say);
  for (const event of ["frame", "choice"]) figure.addEventListener(event, () => keys.show());
  figure.addEventListener("exact", () => keys.count());
}

class CategoryKeys {
  /** @param {Figure} figure @param {(words: string) => void} say */
  constructor(figure, say) {
    this.figure = figure;
    this.say = say;
    this.group = find(figure.surface, '.legend-entries[data-of="categories"]', HTMLElement);
    this.menu = find(figure.section, '[data-menu="categories"]', HTMLElement);
    this.more = make("button", { class: "more", attrs: { type: "button", "aria-haspopup": "dialog" } });
    roving(this.menu);
    ownPopover(this.menu, this.more);
    /** Rows of each category in view, once they are known.  @type {number[]|null} */ this.rows = null;
    /** What was hidden before the first press of a double one. */ this.before = "";
    this.shown = "";
    // A press on it is no gesture of the plot.
    for (const type of ["pointerdown", "dblclick"])
      this.group.addEventListener(type, (event) => event.stopPropagation());
    for (const place of [this.group, this.menu])
      place.addEventListener("click", (event) => this.#press(/** @type {MouseEvent} */ (event)));
  }

  /** How many rows of each category the view shows. */
  count() {
    const { view, main } = this.figure;
    this.rows = view && main ? main.rowsByCategory(view) : null;
    this.show();
  }

  show() {
    const { painter, main } = this.figure;
    const { keys } = painter;
    const now = keys ? JSON.stringify([keys, main.planes, main.choice.hide, this.rows]) : "";
    if (now === this.shown) return;
    this.shown = now;
    this.group.hidden = keys === null;
    const labels = keys ? (main.planes ?? []) : [];
    const buttons = this.group.querySelectorAll("button[data-code]");
    // The keys are those of the last picture, the labels those of the next one, which may have fewer.
    const entries = (keys?.entries ?? []).filter((place) => place.code < labels.length);
    for (const [k, place] of entries.entries()) {
      const button = /** @type {HTMLButtonElement|undefined} */ (buttons[k]) ?? this.#button(this.group);
      this.#tell(button, place.code, labels[place.code]);
      standAt(button, place);
    }
    for (const button of [...buttons].slice(entries.length)) button.remove();
    this.#showMore(keys);
    this.#fill(labels);
  }

  /** @param {KeyPlaces|null} keys */
  #showMore(keys) {
    if (!keys?.more) {
      this.more.remove();
      return;
    }
    this.group.append(this.more);
    this.more.setAttribute("aria-label", `All categories, ${keys.more.count} more`);
    this.more.title = "All categories";
    standAt(this.more, keys.more);
  }

  /** The list of all categories.  @param {readonly string[]} labels */
  #fill(labels) {
    const buttons = this.menu.querySelectorAll("button[data-code]");
    for (const [code, label] of labels.entries()) {
      const button = /** @type {HTMLButtonElement|undefined} */ (buttons[code]) ?? this.#button(this.menu);
      const chip = make("span", { class: "chip" });
      chip.style.background = `rgb(${GLASBEY.slice(3 * (code % 256), 3 * (code % 256) + 3).join()})`;
      const rows = this.rows?.[code];
      button.replaceChildren(
        chip,
        make("span", { text: labelWords(label) }),
        make("span", { class: "muted", text: rows === undefined ? "" : rows.toLocaleString("en") }),
      );
      this.#tell(button, code, label);
    }
    for (const button of [...buttons].slice(labels.length)) button.remove();
  }

  /** @param {HTMLElement} into @returns {HTMLButtonElement} */
  #button(into) {
    const button = make("button", { attrs: { type: "button" } });
    into.append(button);
    return button;
  }

  /** @param {HTMLButtonElement} button @param {number} code @param {string} label */
  #tell(button, code, label) {
    const isHidden = this.#hidden().includes(label);
    const rows = this.rows?.[code];
    const words = rows === undefined ? "" : `, ${rows.toLocaleString("en")} ${rows === 1 ? "row" : "rows"} in view`;
    button.dataset.code = String(code);
    button.setAttribute("aria-pressed", String(!isHidden));
    const name = `${labelWords(label)}${words}`;
    button.setAttribute("aria-label", name);
    button.title = `${isHidden ? "Show" : "Hide"} ${name}. Double click, or Shift and Enter: this one alone`;
  }

  /** @returns {string[]} the labels that are hidden */
  #hidden() {
    return readLabels(this.figure.main.choice.hide) ?? [];
  }

  /** @param {MouseEvent} event */
  #press(event) {
    const button = event.target instanceof Element ? event.target.closest("button[data-code]") : null;
    if (!(button instanceof HTMLElement)) return;
    const { main } = this.figure;
    const labels = main.planes ?? [];
    const label = labels[Number(button.dataset.code)];
    if (label === undefined) return;
    if (event.detail <= 1) this.before = main.choice.hide;
    const only = event.shiftKey || event.detail === 2;
    if (event.detail > 2) return;
    const was = event.detail === 2 ? (readLabels(this.before) ?? []) : this.#hidden();
    const hide = pressed(labels, was, label, only);
    this.figure.choose(0, { hide: writeLabels(hide) });
    this.say(
      hide.length === 0 ? "All categories are shown" : `${labels.length - hide.length} of ${labels.length} shown`,
    );
  }
}

/** @param {HTMLElement} button @param {{x: number, y: number, width: number, height: number}} place */
function standAt(button, { x, y, width, height }) {
  button.style.width = `${width}px`;
  button.style.height = `${height}px`;
  button.style.transform = `translate(${x}px, ${y}px)`;
}
