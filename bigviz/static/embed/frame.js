// The page in a frame of another page, at `?embed=1` or `?embed=token`: what it asks of the server it asks as that
// page, so without cookies, and with a page token where the other page has one (autoload.js).

/** @typedef {import("../wire/connection.js").Socket} Socket */
/** How the page asks: the options of its connection.
 * @typedef {{socket: (url: string) => Socket, get: typeof fetch}} Asking */

/** Protocols of the websocket: the one to be chosen, and one that carries a token. No other header is a page's own. */
const PROTOCOL = "bigviz";
const TOKEN_PROTOCOL = "bigviz-token.";

/** @param {string} search of the page's address @returns {"1"|"token"|null} null: the page stands alone */
export function embedMode(search) {
  const mode = new URLSearchParams(search).get("embed");
  return mode === null || mode === "token" ? mode : "1";
}

/**
 * Tells the surrounding page that this one is there, and waits for the token that it hands over.
 * @param {"1"|"token"} mode "1": there is none to wait for
 * @param {{parent: Pick<Window, "postMessage">, own: EventTarget, warn: (words: string) => void}} [o] for tests
 * @returns {Promise<string|null>} null too for the token of another page's origin
 */
export async function pageToken(
  mode,
  { parent, own, warn } = { parent: window.parent, own: window, warn: (words) => console.error(words) },
) {
  const arrived = mode === "token" ? fromParent(parent, own) : null;
  parent.postMessage({ bigviz: "here" }, "*");
  if (!arrived) return null;
  const { token, origin } = await arrived;
  const named = originOf(token);
  if (named === origin) return token;
  warn(`bigviz: this token is for pages of ${named ?? "no origin"}, and this page is of ${origin}`);
  return null;
}

/** @param {string|null} token @returns {Asking} */
export function asking(token) {
  return {
    socket: (url) => new WebSocket(url, token === null ? [] : [PROTOCOL, TOKEN_PROTOCOL + token]),
    get: (address, options) => {
      const url = new URL(String(address));
      url.searchParams.set("embed", "1");
      /** @type {Record<string, string>} */ const headers = token === null ? {} : { Authorization: `Bearer ${token}` };
      return fetch(url, { ...options, headers, credentials: "omit" });
    },
  };
}

/**
 * @param {Pick<Window, "postMessage">} parent @param {EventTarget} own
 * @returns {Promise<{token: string, origin: string}>} the browser vouches for the origin
 */
function fromParent(parent, own) {
  return new Promise((resolve) => {
    const ending = new AbortController();
    own.addEventListener(
      "message",
      (event) => {
        const { data, origin, source } = /** @type {MessageEvent} */ (event);
        if (source !== parent || data?.bigviz !== "token" || typeof data.token !== "string") return;
        ending.abort();
        resolve({ token: data.token, origin });
      },
      { signal: ending.signal },
    );
  });
}

/** @param {string} token @returns {string|null} the origin whose pages may use it; the server checks the rest */
function originOf(token) {
  try {
    const payload = atob(token.split(".")[0].replaceAll("-", "+").replaceAll("_", "/"));
    const { origin } = JSON.parse(payload);
    return typeof origin === "string" ? origin : null;
  } catch {
    return null;
  }
}
