// The page in a frame of a notebook's cell. What would go over the websocket goes through a port that the cell hands
// over; so do the colours to show, what is kept of the view, and what the view shows once it rests.

import { mount } from "./mount.js";
import { Connection } from "./wire/connection.js";
import { HERE, PortSockets } from "./wire/port-socket.js";

/** @typedef {import("./figure/figure.js").Figure} Figure */
/** What the frame tells its cell. */
const READY = "bigviz:ready";
/** What the cell answers, with the port.
 * @typedef {{bigviz: "port", hash: string, theme: "light"|"dark"}} Start */

/**
 * Asks for the port, and shows the document once it is there.
 * @param {HTMLElement} element
 * @param {(mounted: import("./mount.js").Mounted) => void} begun
 */
export function openFramed(element, begun) {
  const took = new AbortController();
  addEventListener(
    "message",
    ({ source, data, ports }) => {
      if (source !== parent || data?.bigviz !== "port" || ports.length !== 1) return;
      took.abort();
      begun(start(element, data, ports[0]));
    },
    { signal: took.signal },
  );
  parent.postMessage(READY, "*");
}

/** @param {HTMLElement} element @param {Start} told @param {MessagePort} port */
function start(element, { hash, theme }, port) {
  const sockets = new PortSockets(port);
  const address = {
    hash,
    /** @param {string} next */
    write(next) {
      address.hash = next;
      port.postMessage({ hash: next });
    },
    listen() {},
  };
  const connection = new Connection(HERE, { socket: () => sockets.make(), get: (...asked) => sockets.get(...asked) });
  const mounted = mount(element, null, connection, { embedded: true, address });
  mounted.theme.wear(theme);
  port.addEventListener("message", ({ data }) => {
    if (data.theme) mounted.theme.wear(data.theme);
  });
  let told = "";
  mounted.addEventListener("built", () => {
    for (const figure of mounted.figures)
      for (const name of ["rest", "exact"])
        figure.addEventListener(name, () => {
          const views = mounted.figures.map(viewOf);
          const text = JSON.stringify(views);
          if (views.includes(null) || text === told) return;
          told = text;
          port.postMessage({ views });
        });
  });
  return mounted;
}

/**
 * What a figure shows: of each axis the ends in axis space and what its numbers are, of each layer what is drawn.
 * @param {Figure} figure
 */
function viewOf({ view, axes, layers }) {
  if (!view) return null;
  const side = (/** @type {"x"|"y"} */ name) => ({ ends: axes[name].toUrl(view[name]), is: axes[name].flavour });
  return { x: side("x"), y: side("y"), layers: layers.map((layer) => layer.definition) };
}
