// The page of a document: with an address of its own, or in a frame of a notebook's cell.

import { find } from "./dom.js";
import { openFramed } from "./framed.js";
import { mount } from "./mount.js";
import { Connection } from "./wire/connection.js";

/**
 * How the page gets at its document, by the `data-feed` of #page; without one it is a server's page.
 * @type {Record<string, (page: HTMLElement) => void>}
 */
const FEEDS = {
  server(page) {
    const address = new URL("ws", location.href.replace(/#.*$/, ""));
    address.protocol = address.protocol.replace("http", "ws");
    tellReady(mount(page, null, new Connection(address.href), { wholePage: true }));
  },
  parent(page) {
    openFramed(page, tellReady);
  },
};

const page = find(document, "#page", HTMLElement);
FEEDS[page.dataset.feed ?? "server"](page);

/** @param {import("./mount.js").Mounted} mounted */
function tellReady(mounted) {
  mounted.addEventListener("ready", () => {
    document.documentElement.dataset.ready = "1";
  });
}
