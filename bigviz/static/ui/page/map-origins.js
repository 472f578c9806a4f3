// A page may have been sent before the server had opened its document: then it does not know where the maps of that
// come from, and its policy refuses their tiles. It is loaded again, once; a page that is never told draws no maps.

/** @typedef {import("../../types.js").DocumentSpec} DocumentSpec */
/** @typedef {import("../../types.js").Node} Node */

const KEY = "bigviz:maps";

/** @param {Node} node @returns {string[]} the addresses of the tiles of all maps in a layout */
export function mapAddresses(node) {
  if (node.type === "figure") return node.basemap ? [node.basemap.url] : [];
  if (node.type === "control") return [];
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
 * What a page that is the document's alone does about its maps. Pages that no server sends (a file, the text of a
 * frame) have policies of their own.
 * @param {Pick<DocumentSpec, "layout">} spec
 * @returns {"draw"|"reload"|"omit"} omit: loading it again has not helped, or would not
 */
export function planForMaps({ layout }) {
  if (!location.protocol.startsWith("http") || mapAddresses(layout).length === 0) return "draw";
  const meta = document.querySelector('meta[name="map-origins"]');
  const allowed = meta?.getAttribute("content") ?? "";
  if (allowed === "none") return "omit"; // the operator wants no maps
  const isAllowed = areAllowed(layout, allowed);
  try {
    const isAgain = sessionStorage.getItem(KEY) !== null;
    if (isAllowed) sessionStorage.removeItem(KEY);
    else if (!isAgain && !new URLSearchParams(location.search).has("embed")) {
      sessionStorage.setItem(KEY, "1");
      return "reload";
    }
  } catch {
    // Storage may be forbidden; then nothing would tell a second time from the first.
  }
  return isAllowed ? "draw" : "omit";
}

/**
 * The same layout without its maps.
 * @template {Node} T
 * @param {T} node @returns {T}
 */
export function withoutMaps(node) {
  if (node.type === "control") return node;
  return node.type === "figure" ? { ...node, basemap: null } : { ...node, children: node.children.map(withoutMaps) };
}
