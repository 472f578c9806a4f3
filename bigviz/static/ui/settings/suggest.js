// Which of many names a typed text means.

/**
 * What can be chosen: `note` says more about it; `off`, why it cannot be chosen.
 * @typedef {{value: string, note?: string, off?: string|null}} Option
 */
/** @typedef {{shown: Option[], more: number}} Suggestions  `more` match and are not shown */

/**
 * Places of a match, best first: the whole name, its beginning, the beginning of one of its words, anywhere, all words
 * anywhere.
 */
const EXACT = 0;
const START = 1;
const WORD = 2;
const INSIDE = 3;
const PARTS = 4;

/**
 * The options that a text matches, whatever its case: the better match first, else in their own order; those that
 * cannot be chosen last.
 * @param {readonly Option[]} options @param {string} text "" matches all @param {number} most are shown
 * @param {string} [chosen] stands first where it would not be shown
 * @returns {Suggestions} options that are off are left out until something is typed
 */
export function suggest(options, text, most, chosen) {
  const words = text.trim().toLowerCase();
  if (words === "") {
    const usable = options.filter((option) => !option.off);
    const at = usable.findIndex((option) => option.value === chosen);
    const shown = at < most ? usable.slice(0, most) : [usable[at], ...usable.slice(0, most - 1)];
    return { shown, more: usable.length - shown.length };
  }
  const parts = words.split(/\s+/);
  /** @type {Option[][]} */ const found = Array.from({ length: 2 * (PARTS + 1) }, () => []);
  for (const option of options) {
    const place = placeOf(option.value.toLowerCase(), words, parts);
    if (place !== null) found[option.off ? PARTS + 1 + place : place].push(option);
  }
  found[EXACT].sort((a, b) => Number(b.value === text.trim()) - Number(a.value === text.trim()));
  const all = found.flat();
  return { shown: all.slice(0, most), more: Math.max(0, all.length - most) };
}

/**
 * @param {string} name
 * @param {string} words
 * @param {readonly string[]} parts all in lower case
 * @returns {number|null}
 */
function placeOf(name, words, parts) {
  const at = name.indexOf(words);
  if (at === 0) return name.length === words.length || name.trim() === words ? EXACT : START;
  if (at > 0) return wordStart(name, words, at) ? WORD : INSIDE;
  if (name.trim() === words) return EXACT;
  return parts.length > 1 && parts.every((part) => name.includes(part)) ? PARTS : null;
}

/**
 * @param {string} name
 * @param {string} words
 * @param {number} from where the words first stand
 * @returns {boolean} a word of the name begins with them
 */
function wordStart(name, words, from) {
  for (let at = from; at > 0; at = name.indexOf(words, at + 1)) if (!/[\p{L}\p{N}]/u.test(name[at - 1])) return true;
  return false;
}

/**
 * The option that a text names: itself, or the only one that differs from it in case or in spaces at its ends.
 * @param {readonly Option[]} options @param {string} text @returns {string|null}
 */
export function named(options, text) {
  const usable = options.filter((option) => !option.off);
  if (usable.some((option) => option.value === text)) return text;
  const fold = (/** @type {string} */ words) => words.trim().toLowerCase();
  const near = usable.filter((option) => fold(option.value) === fold(text));
  return near.length === 1 ? near[0].value : null;
}
