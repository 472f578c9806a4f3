// How much of the document's files the server has read, shown where the document will stand.

import { find } from "../../dom.js";

/** @typedef {import("../../wire/reassembler.js").ProgressMessage["json"]} Report */

/**
 * Nothing happens once a document is shown.
 * @param {HTMLElement} root @param {{say: (words: string) => void}} notices for screen readers @param {Report} report
 */
export function showReading(root, notices, report) {
  if (!root.querySelector(".opening")) return;
  const words = readingWords(report);
  const opening = find(root, ".opening", HTMLElement);
  opening.classList.remove("refused");
  opening.textContent = words;
  notices.say(words);
}

/**
 * Says why the document cannot be shown, in place of what was said while it was waited for.
 * @param {HTMLElement} root @param {{say: (words: string) => void, error: (words: string) => void}} notices
 * @param {string} words the server's
 */
export function showRefusal(root, notices, words) {
  const opening = root.querySelector(".opening");
  if (!opening) {
    notices.error(words);
    return;
  }
  opening.classList.add("refused");
  opening.textContent = words;
  notices.say(words);
}

/** @param {Pick<Report, "stage"|"done">} report @returns {string} such as "Reading sensor.csv, 45 %" */
export function readingWords({ stage, done }) {
  const [first = "", ...rest] = stage;
  return `${first.toUpperCase()}${rest.join("")}, ${Math.floor(done * 100)} %`;
}
