// The status line of a figure: one place below the plot, of one height, for all that is said of its picture and its
// rows.

import { find, make, ownPopover } from "../../dom.js";

/**
 * One fact. `detail`: the rest of it, for the details; `spoken`: what screen readers announce when it is new; `action`:
 * a button for it, such as "Show all".
 * @typedef {{text: string, detail?: string, spoken?: string, tone?: "warn"|"bad", action?: {label: string, run: (time:
 *   number) => void}}} Part
 */
/** The names of the facts, the most important first.  @typedef {(typeof ORDER)[number]} Name */
/** @typedef {ReadonlyMap<Name, Part>} Parts */

const ORDER = /** @type {const} */ (["state", "failed", "outside", "far", "index", "coarse", "crowd", "rows", "notes"]);
/** These stand at the far end of the line, and are the first to be cut. */
const LAST = new Set(["rows", "notes"]);

/** @param {Parts} parts @returns {[Name, Part][]} the most important first */
export const ordered = (parts) =>
  ORDER.flatMap((name) => {
    const part = parts.get(name);
    return part ? [/** @type {[Name, Part]} */ ([name, part])] : [];
  });

/** @param {Parts} parts @returns {Part["action"]} the button that the line has room for */
export const actionOf = (parts) => ordered(parts).find(([, { action }]) => action)?.[1].action;

/** @param {Parts} parts @returns {boolean} there is more to say than the line does */
export function hasDetails(parts) {
  const said = ordered(parts);
  return (
    said.some(([, { detail }]) => detail) ||
    said.filter(([, { action }]) => action).length > 1 ||
    said.filter(([name]) => !LAST.has(name)).length > 2
  );
}

/** @param {Parts} before @param {Parts} now @returns {string[]} what screen readers have not announced yet */
export const news = (before, now) =>
  ordered(now).flatMap(([name, { spoken }]) => (spoken && spoken !== before.get(name)?.spoken ? [spoken] : []));

export class Status {
  /** @param {HTMLElement} section of the figure @param {(words: string) => void} say tells screen readers */
  constructor(section, say) {
    const line = find(section, ".status", HTMLElement);
    this.say = say;
    this.line = line;
    this.first = find(line, ".status-line", HTMLElement);
    this.last = find(line, ".status-last", HTMLElement);
    this.act = find(line, '[data-act="status"]', HTMLButtonElement);
    this.more = find(line, '[data-act="details"]', HTMLButtonElement);
    this.details = find(section, ".status-details", HTMLElement);
    /** @type {Map<Name, Part>} */ this.parts = new Map();
    /** @type {Part["action"]} */ this.action = undefined;
    ownPopover(this.details, this.more);
    this.act.addEventListener("click", (event) => this.action?.run(event.timeStamp));
    this.details.addEventListener("beforetoggle", () => this.#fill());
  }

  /**
   * Shows one fact, or null: no longer. The same fact again changes nothing.
   * @param {Name} name
   * @param {Part|null} part
   */
  set(name, part) {
    if (isSame(this.parts.get(name), part)) return;
    const before = new Map(this.parts);
    if (part) this.parts.set(name, part);
    else this.parts.delete(name);
    const told = news(before, this.parts);
    if (told.length > 0) this.say(told.join(". "));
    this.#show();
  }

  #show() {
    const said = ordered(this.parts);
    fill(
      this.first,
      said.filter(([name]) => !LAST.has(name)),
    );
    fill(
      this.last,
      said.filter(([name]) => LAST.has(name)),
    );
    this.action = actionOf(this.parts);
    this.act.hidden = !this.action;
    if (this.action) this.act.textContent = this.action.label;
    this.more.hidden = !hasDetails(this.parts);
    if (this.details.matches(":popover-open")) this.#fill();
  }

  #fill() {
    this.details.replaceChildren(
      ...ordered(this.parts).map(([, { text, detail, action, tone }]) => {
        const words = make("p", { class: tone ?? "", text: detail ? `${text}: ${detail}` : text });
        if (!action) return words;
        const button = make("button", { class: "text", text: action.label, attrs: { type: "button" } });
        button.addEventListener("click", (event) => {
          this.details.hidePopover();
          action.run(event.timeStamp);
        });
        return make("div", {}, [words, button]);
      }),
    );
  }
}

/**
 * What stays the same in a line is left as it is: the state changes with every step of a drag.
 * @param {HTMLElement} line
 * @param {[Name, Part][]} parts
 */
function fill(line, parts) {
  const old = new Map([...line.children].map((span) => [span.getAttribute("data-part"), span]));
  const spans = parts.map(([name, { text, tone = "" }]) => {
    const span = old.get(name) ?? make("span", { attrs: { "data-part": name } });
    if (span.textContent !== text) span.textContent = text;
    if (span.className !== tone) span.className = tone;
    return span;
  });
  if (spans.length !== old.size || spans.some((span, k) => span !== line.children[k])) line.replaceChildren(...spans);
  line.title = wordsOf(parts);
}

/** @param {[Name, Part][]} parts @returns {string} all of their words */
const wordsOf = (parts) => parts.map(([, { text, detail }]) => (detail ? `${text}: ${detail}` : text)).join(" · ");

/** @param {Part|undefined} a @param {Part|null} b @returns {boolean} they say and offer the same */
function isSame(a, b) {
  if (!a || !b) return !a && !b;
  return (
    a.text === b.text &&
    a.detail === b.detail &&
    a.spoken === b.spoken &&
    a.tone === b.tone &&
    a.action?.label === b.action?.label
  );
}
