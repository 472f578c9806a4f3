// The page's "copy link": the view under a short address that the server keeps, or, where it keeps none, the address as
// it is.

/**
 * Copies an address of what is shown.
 * @param {string} socketUrl the document's websocket: its views have an address beside it
 * @param {{note: (words: string) => void, error: (words: string) => void}} notices
 * @param {{post?: typeof fetch, clipboard?: Pick<Clipboard, "writeText">|null, here?: string}} [o] for tests
 */
export async function copyLink(
  socketUrl,
  notices,
  { post = (...request) => fetch(...request), clipboard = navigator.clipboard, here = location.href } = {},
) {
  const link = await shortLink(socketUrl, here, post);
  try {
    if (!clipboard) throw new Error("a page without TLS has no clipboard");
    await clipboard.writeText(link);
    notices.note(link === here ? "The link to this view is copied." : "A short link to this view is copied.");
  } catch {
    notices.note(`This browser does not let pages copy here. The link is ${link}`);
  }
}

/**
 * @param {string} socketUrl
 * @param {string} here the page's own address
 * @param {typeof fetch} post
 * @returns {Promise<string>} the address as it is where the view is the one that everybody sees first, and where the
 *   server does not keep views of this caller
 */
async function shortLink(socketUrl, here, post) {
  const hash = new URL(here).hash.slice(1);
  if (hash === "") return here;
  try {
    const answer = await post(new URL("views", socketUrl.replace(/^ws/, "http").replace(/\?.*$/, "")), {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ hash }),
    });
    if (!answer.ok) return here;
    const { url } = /** @type {{url: string}} */ (await answer.json());
    return url;
  } catch {
    return here; // offline: the long address works all the same
  }
}
