// Puts a document's plot where the tag of this script stands, in a page of any origin that the server allows:
//
//   <script async src="https://plots.example.org/sales/autoload.js" data-view="x0=1&x1=2"></script>
//
// data-view is what stands after the # of the plot's address, or the id of a kept view; data-token a page token, for a
// plot that is not public (bigviz.embed makes the tag); data-height a height in CSS pixels; data-title the frame's name
// for screen readers.
//
// The plot stands in a frame of its own origin. A shadow root in the foreign page would share more than it isolates:
// the icons of the page are `<use>` of another file, which no browser loads from another origin; the modules would need
// an import map in the foreign page's head, before its first module; rules for :root, dialogs, popovers, full screen
// and the focus are those of the whole document; the foreign page's Content-Security-Policy would govern every script
// and style; and its scripts could read a plot that its visitor may see but its author may not. What a frame costs: the
// modules are evaluated once for each plot on a page (some 30 ms; they come from the browser's cache).
(() => {
  /** CSS pixels, in a container whose height is that of its content. */
  const HEIGHT = 480;
  const VIEW_ID = /^[A-Za-z0-9_-]{22}$/;

  const script = document.currentScript;
  if (!(script instanceof HTMLScriptElement)) {
    console.error('bigviz: the tag of autoload.js has no type="module": leave it out, and write async instead.');
    return;
  }
  const { view = "", token, height, title } = script.dataset;
  const page = new URL("./", script.src);
  page.searchParams.set("embed", token ? "token" : "1");
  if (VIEW_ID.test(view)) page.searchParams.set("v", view);
  else page.hash = view.replace(/^#/, "");

  const frame = document.createElement("iframe");
  frame.src = page.href;
  frame.title = title ?? decodeURIComponent(page.pathname.split("/").at(-2) ?? "");
  frame.allow = "fullscreen; clipboard-write";
  frame.referrerPolicy = "origin"; // so that the server can say which origin it refuses

  // Of a height in percent nothing is left where the container has none of its own: then the content's height counts.
  const content = document.createElement("div");
  const wrapper = document.createElement("div");
  wrapper.className = "bigviz-embed";
  style(content, { height: `${Number(height) || HEIGHT}px` });
  style(frame, { position: "absolute", inset: "0", width: "100%", height: "100%", border: "0" });
  style(wrapper, {
    all: "initial",
    display: "block",
    position: "relative",
    overflow: "hidden",
    flex: "1 1 auto",
    width: "100%",
    height: height ? "auto" : "100%",
  });
  // The page's rules reach no element in a closed root, and none undoes what is important in a style attribute.
  wrapper.attachShadow({ mode: "closed" }).append(content, frame);

  let isThere = false;
  const listening = new AbortController();
  addEventListener(
    "message",
    (event) => {
      if (event.origin !== page.origin || event.source !== frame.contentWindow || !frame.contentWindow) return;
      if (event.data?.bigviz !== "here") return;
      isThere = true;
      if (token) frame.contentWindow.postMessage({ bigviz: "token", token }, page.origin);
    },
    { signal: listening.signal },
  );
  frame.addEventListener("load", () => {
    if (!frame.isConnected) listening.abort();
    else if (!isThere) void tellWhy();
  });
  if (script.closest("body")) script.after(wrapper);
  else if (document.body) document.body.append(wrapper);
  else document.addEventListener("DOMContentLoaded", () => document.body.append(wrapper), { once: true });

  /** The frame may show no plot: then the server lets this page read nothing either. */
  async function tellWhy() {
    try {
      await fetch(page.href.replace(/[?#].*$/, "?embed=1"), { method: "HEAD", credentials: "omit" });
    } catch {
      if (isThere) return; // what it says comes a moment after it was loaded
      console.error(
        location.origin === "null"
          ? `bigviz: ${page.origin} shows plots in pages of a web server only, and this page has no origin.`
          : `bigviz: ${page.origin} lets no page of ${location.origin} show its plots. Start it with ` +
              `--allow-origin ${location.origin} to let them.`,
      );
    }
  }

  /** @param {HTMLElement} element @param {Record<string, string>} rules */
  function style(element, rules) {
    for (const [name, value] of Object.entries(rules)) element.style.setProperty(name, value, "important");
  }
})();
