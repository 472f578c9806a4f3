// The labels of categories that are left out, as text.

/** @param {string} text a JSON list of labels, or "" @returns {string[]|null} null: it is no such list */
export function readLabels(text) {
  if (text === "") return [];
  try {
    const found = JSON.parse(text);
    return Array.isArray(found) && found.every((each) => typeof each === "string") ? found : null;
  } catch {
    return null;
  }
}

/** @param {readonly string[]} labels @returns {string} */
export const writeLabels = (labels) => (labels.length === 0 ? "" : JSON.stringify(labels));
