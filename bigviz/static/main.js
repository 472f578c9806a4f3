// The page of a document: with an address of its own, in a frame of a page of another origin or of a notebook's cell,
// or in a file with all its data.

import { find } from "./dom.js";
import { asking, embedMode, pageToken } from "./embed/frame.js";
import { openFramed } from "./framed.js";
import { mount } from "./mount.js";
import { FileSocket, fileIn } from "./offline/file-socket.js";
import { Connection } from "./wire/connection.js";

/**
 * How the page gets at its document, by the `data-feed` of #page; without one it is a server's page.
 * @type {Record<string, (page: HTMLElement) => void>}
 */
const FEEDS = {
  server(page) {
    const address = new URL("ws", location.href.replace(/[?#].*$/, ""));
    address.protocol = address.protocol.replace("http", "ws");
    address.search = "?follow=1";
    const embed = embedMode(location.search);
    if (embed === null) tellReady(mount(page, null, new Connection(address.href), { wholePage: true }));
    else void showEmbedded(page, address, embed);
  },
  parent(page) {
    openFramed(page, tellReady);
  },
  file(page) {
    const { index, text } = fileIn(document);
    tellReady(
      mount(page, null, new Connection("", { socket: () => new FileSocket(index, text) }), { wholePage: true }),
    );
  },
};

const page = find(document, "#page", HTMLElement);
FEEDS[page.dataset.feed ?? "server"](page);

/** @param {HTMLElement} page @param {URL} address @param {"1"|"token"} mode */
async function showEmbedded(page, address, mode) {
  address.search = "?embed=1&follow=1";
  const connection = new Connection(address.href, asking(await pageToken(mode)));
  connection.addEventListener("down", (event) => {
    const { final, reason } = /** @type {CustomEvent<import("./wire/connection.js").Down>} */ (event).detail;
    if (final) console.error(`bigviz: ${reason}`);
  });
  tellReady(mount(page, null, connection, { wholePage: true, embedded: true }));
}

/** @param {import("./mount.js").Mounted} mounted */
function tellReady(mounted) {
  mounted.addEventListener("ready", () => {
    document.documentElement.dataset.ready = "1";
  });
}
