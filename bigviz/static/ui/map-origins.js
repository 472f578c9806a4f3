// A page may have been sent before the server had opened its document: then it does not know where the maps of that
// come from, and its policy refuses their tiles. It is loaded again, once.

/** @typedef {import("../types.js").DocumentSpec} DocumentSpec */
/** @typedef {import("../types.js").Node} Node */

const KEY = "bigviz:maps";

/** @param {Node} node @returns {string[]} the addresses of the tiles of all maps in a layout */
export function mapAddresses(node) {
  if (node.type === "figure") return node.basemap ? [node.basemap.url] : [];
  return node.children.flatMap(mapAddresses);
}

/**
 * @param {Node} layout
 * @param {string} allowed origins, a space between two, as the page's `meta` element has them
 * @returns {boolean} tiles of every map may come
 */
export function areAllowed(layout, allowed) {
  const origins = new Set(allowed.split(" "));
  return mapAddresses(layout).every((address) => origins.has(new URL(address.replace("{s}", "a")).origin));
}

/**
 * Must the page be loaded again, for the maps of its document?
 * @param {Pick<DocumentSpec, "layout">} spec
 * @returns {boolean} false where that has not helped before, and for pages that no server sends: a file, a frame's text
 */
export function lacksMaps({ layout }) {
  if (!location.protocol.startsWith("http") || mapAddresses(layout).length === 0) return false;
  const meta = document.querySelector('meta[name="map-origins"]');
  try {
    const isAgain = sessionStorage.getItem(KEY) !== null;
    if (areAllowed(layout, meta?.getAttribute("content") ?? "")) sessionStorage.removeItem(KEY);
    else if (!isAgain) {
      sessionStorage.setItem(KEY, "1");
      return true;
    }
  } catch {
    // Storage may be forbidden; then nothing would tell a second time from the first.
  }
  return false;
}
