// The page of a document.

import { find } from "./dom.js";
import { mount } from "./mount.js";
import { Connection } from "./wire/connection.js";

const address = new URL("ws", location.href.replace(/#.*$/, ""));
address.protocol = address.protocol.replace("http", "ws");
const mounted = mount(find(document, "#page", HTMLElement), null, new Connection(address.href), { wholePage: true });
mounted.addEventListener("ready", () => {
  document.documentElement.dataset.ready = "1";
});
