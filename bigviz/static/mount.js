// A document in an element: its figures, what stands around them, and the connection that feeds them. Several can share
// a page.

import { cloneAll, find } from "./dom.js";
import { deliverAnswers } from "./figure/answers.js";
import { makeFigures } from "./figure/make-figures.js";
import { ControlValues } from "./figure/values/control-values.js";
import { Follower } from "./figure/growth/follower.js";
import { Latency } from "./figure/latency.js";
import { PageSession } from "./figure/values/session.js";
import { Streams } from "./figure/growth/streams.js";
import { followValues } from "./figure/values/value-steps.js";
import { BrushRows } from "./brush/brush-rows.js";
import { ControlDrag } from "./brush/control-drag.js";
import { linkFigures } from "./brush/link-figures.js";
import { TileCache } from "./layers/tiles/tile-cache.js";
import { Theme } from "./render/theme.js";
import { showAbout } from "./ui/page/about.js";
import { AppFailure } from "./ui/page/app-failure.js";
import { bindLatencyPanel } from "./ui/page/latency-panel.js";
import { controlMaker } from "./ui/controls/controls.js";
import { foldControls } from "./ui/controls/fold.js";
import { followOptions } from "./ui/controls/grown-options.js";
import { buildLayout } from "./ui/page/layout.js";
import { Notices } from "./ui/page/notices.js";
import { listenPageKeys } from "./ui/page/page-keys.js";
import { copyLink } from "./ui/address/copy-link.js";
import { bindFigure } from "./ui/bind-figure.js";
import { frameFigures } from "./ui/page/frame.js";
import { showReading, showRefusal } from "./ui/status/reading.js";
import { planForMaps, withoutMaps } from "./ui/page/map-origins.js";
import { PAGE_ADDRESS, readTabs, UrlState } from "./ui/address/url-state.js";
import { ViewerSteps } from "./ui/address/viewer-steps.js";
import { GONE, LATER, UNUSABLE } from "./wire/frames.js";

/** @typedef {import("./types.js").DocumentSpec} DocumentSpec */
/** @typedef {import("./wire/connection.js").Connection} Connection */
/** @typedef {import("./figure/figure.js").Figure} Figure */
/** @typedef {import("./figure/page.js").Page} Page */
/** @typedef {import("./ui/address/url-state.js").Address} Address */
/** A document, its datasets and the colour maps, as the connection's `hello` brings them.
 * @typedef {Pick<import("./wire/reassembler.js").HelloMessage, "json"|"luts">} Opened */

const CLASS = "bigviz";

/**
 * Shows a document in an element until it is unmounted. The element's page must have the templates of index.html.
 * @param {HTMLElement} element emptied first
 * @param {Opened|null} document what is shown before the connection has opened; null: nothing, until its `hello` tells
 *   the document
 * @param {Connection} connection opened here, and closed by unmounting
 * @param {{wholePage?: boolean, embedded?: boolean, address?: Address|null}} [o] `wholePage`: the page is this
 *   document's alone, so its title, its address and keys pressed anywhere are too; `embedded`: it stands in a page of
 *   others, so it leads nowhere else, and the wheel is that page's until the plot is clicked; `address`: where the view
 *   is kept, null for nowhere
 * @returns {Mounted}
 */
export function mount(element, document, connection, { wholePage = false, embedded = false, address = null } = {}) {
  const mounted = new Mounted(element, connection, wholePage, embedded, wholePage ? PAGE_ADDRESS : address);
  if (document) mounted.show(document);
  connection.open();
  return mounted;
}

/** Fires `built` when there are figures, and others; `ready` once, when every figure has been exact. */
export class Mounted extends EventTarget {
  /**
   * @param {HTMLElement} element @param {Connection} connection @param {boolean} wholePage
   * @param {boolean} embedded @param {Address|null} address
   */
  constructor(element, connection, wholePage, embedded, address) {
    super();
    this.element = element;
    this.connection = connection;
    this.wholePage = wholePage;
    this.embedded = embedded;
    this.address = address;
    element.classList.add(CLASS);
    element.toggleAttribute("data-embedded", embedded);
    element.replaceChildren(...cloneAll("page-parts"));
    /** Removes all listeners outside of the element. */ this.ending = new AbortController();
    /** Removes the listeners of the current figures. */ this.building = new AbortController();
    const { signal } = this.ending;
    this.notices = new Notices(element);
    this.failure = new AppFailure(element);
    this.session = new PageSession(connection, {
      say: (push) => this.#say(push),
      remake: (id) => this.#remake(id),
      own: wholePage && !embedded,
    });
    this.theme = new Theme(signal);
    this.latency = new Latency();
    this.cache = new TileCache();
    this.streams = new Streams();
    this.panel = bindLatencyPanel(element, this.latency);
    this.help = () => find(element, ".help", HTMLDialogElement).showModal();
    /** @type {Figure[]} */ this.figures = [];
    /** The values of the document's controls.  @type {ControlValues|null} */ this.values = null;
    /** The tables of selected rows, by control.  @type {Map<string, import("./ui/controls/table.js").RowTable>} */
    this.tables = new Map();
    /** @type {UrlState|null} */ this.url = null;
    /** The document and columns that the figures were built from.  @type {string|null} */ this.built = null;
    /** The version of each dataset that is drawn.  @type {Map<string, number>} */ this.versions = new Map();
    /** Figures that have never been exact: data that grow may always change one of them.  @type {Set<Figure>} */
    this.inexact = new Set();
    /** Makes the element of a control.  @type {((id: string) => HTMLElement)|null} */ this.makeControl = null;
    this.isReady = false;
    /** The data grew while there was no connection, and the page may be brought up to date. */ this.isBehind = false;
    /** The datasets that have changed in that time.  @type {[string, import("./figure/growth/streams.js").Told][]} */
    this.missed = [];
    /** @type {Follower|null} */ this.follower = null;
    this.theme.addEventListener("change", () => {
      for (const figure of this.figures) figure.restyle();
    });
    this.#listen(signal);
    listenPageKeys({ root: element, figures: () => this.figures, wholePage, help: this.help, signal });
    for (const dialog of element.querySelectorAll("dialog")) {
      dialog.addEventListener("click", (event) => {
        if (event.target === dialog) dialog.close();
      });
    }
  }

  /** Takes the document away: no timer, listener, observer or socket of it is left.  */
  unmount() {
    this.ending.abort();
    this.connection.close();
    this.#clear();
    this.url?.dispose();
    this.session.dispose();
    this.notices.dispose();
    this.element.replaceChildren();
    this.element.classList.remove(CLASS);
    this.element.removeAttribute("data-embedded");
  }

  /**
   * The document has arrived, perhaps again: it is built once, and again only if it has changed, with the view and the
   * values that the address has.
   * @param {Opened} opened
   */
  show({ json, luts }) {
    const columns = Object.entries(json.datasets).map(([name, dataset]) => [name, dataset.columns]);
    const text = JSON.stringify([json.document, columns]);
    if (this.built === text) {
      this.#return(json);
      return;
    }
    const maps = this.wholePage ? planForMaps(json.document) : "draw";
    if (maps === "reload") {
      location.reload();
      return;
    }
    this.url?.write();
    this.#clear();
    this.built = text;
    this.cache.clear(); // tables of the same names and versions may have other rows
    this.versions.clear();
    this.isBehind = false;
    for (const [name, { version, rows }] of Object.entries(json.datasets)) {
      this.versions.set(name, version);
      this.streams.begin(name, rows);
    }
    const layout = maps === "omit" ? withoutMaps(json.document.layout) : json.document.layout;
    this.#build({ ...json, document: { ...json.document, layout } }, luts);
  }

  /** The page comes back: what changed while it was away has not been told.  @param {Opened["json"]} json */
  #return({ datasets, follow = [] }) {
    for (const [name, { notes }] of Object.entries(datasets)) this.#note(name, notes);
    const others = Object.entries(datasets).filter(([name, { version }]) => this.versions.get(name) !== version);
    this.isBehind = others.length > 0 && others.every(([name]) => follow.includes(name));
    if (!this.isBehind) for (const [name, told] of others) this.#renew(name, told);
    this.missed = others;
  }

  /**
   * The connection is up, perhaps again.
   * @param {boolean} restarted the server is another one than before
   */
  #up(restarted) {
    if (this.isBehind && this.follower?.resume()) {
      const { datasets } = this.follower;
      for (const figure of this.figures)
        if (!figure.layers.some((layer) => datasets.includes(layer.spec.dataset))) figure.askAgain(restarted);
      return;
    }
    if (this.isBehind) for (const [name, told] of this.missed) this.#renew(name, told);
    for (const figure of this.figures) figure.askAgain(restarted);
  }

  /** Takes the figures away, and the buttons that a lone one carried. */
  #clear() {
    this.building.abort();
    this.building = new AbortController();
    for (const figure of this.figures) figure.dispose();
    this.figures = [];
    const bar = find(this.element, ".app", HTMLElement);
    bar.replaceChildren(find(this.element, ".brand", HTMLElement), find(bar, ".title", HTMLElement));
  }

  /** @param {AbortSignal} signal */
  #listen(signal) {
    const { connection, notices, failure } = this;
    /** @param {string} name @param {(detail: any) => void} handler */
    const on = (name, handler) =>
      connection.addEventListener(name, (event) => handler(/** @type {CustomEvent} */ (event).detail), { signal });
    on("hello", (hello) => {
      failure.clear();
      const isBack = this.built !== null;
      this.show(hello);
      this.session.greet(hello.json.session, isBack);
    });
    on("reading", (report) => showReading(this.element, notices, report));
    on("up", ({ restarted, again }) => {
      notices.up();
      this.#up(restarted || !again);
    });
    on("down", ({ inMs, final, reason, code }) => {
      if (final && code === UNUSABLE) notices.up();
      else if (final) {
        const why =
          code === GONE
            ? "This document is gone."
            : `The server closed the connection (${code}). Reload the page to go on.`;
        this.#refuse(reason || why);
      } else notices.down(inMs, () => connection.open(), code === LATER ? "This plot is not open yet." : undefined);
    });
    on("error", ({ id, figure, current, json }) => {
      this.session.refused(id);
      if (!current) return;
      if (json.app) failure.show(json.app, this.built !== null);
      else if (json.field === "filter") queueMicrotask(() => this.#refuseFilter(figure, json.error));
      else this.#refuse(json.error);
    });
    this.element.addEventListener(
      "press",
      (event) => this.session.press(/** @type {CustomEvent} */ (event).detail.control),
      { signal },
    );
    on("session", (push) => this.session.take(push));
    on("changed", ({ json }) => {
      if (json.document !== undefined) this.#offerVersion();
      else if (json.notes !== undefined) this.#note(json.dataset, json.notes);
      else this.#renew(json.dataset, json);
    });
    addEventListener(
      "pagehide",
      () => {
        this.url?.write();
        this.session.keep();
        connection.close();
      },
      { signal },
    );
    addEventListener(
      "pageshow",
      (event) => {
        if (event.persisted) connection.open();
      },
      { signal },
    );
  }

  /** Shows what an app has to say to the viewer.  @param {import("./wire/reassembler.js").SessionPush} push */
  #say({ notify, app, error }) {
    if (notify) this.notices.note(notify.text);
    if (app) this.notices.state("app", app.state === "running" ? null : (app.reason ?? "The app is being started."));
    if (app?.state === "running") this.failure.clear();
    if (error?.app) this.failure.show(error.app, true);
    else if (error) this.notices.error(error.message);
  }

  /** @param {string} id @returns {HTMLElement|null} */
  #control(id) {
    return this.element.querySelector(`[data-control="${id}"]`);
  }

  /** A control has other properties: another element takes its place.  @param {string} id */
  #remake(id) {
    const old = this.#control(id);
    if (!old || !this.makeControl) return;
    const hadFocus = old.contains(document.activeElement);
    const now = this.makeControl(id);
    old.replaceWith(now);
    const input = now.querySelector("input, select, button");
    if (hadFocus && input instanceof HTMLElement) input.focus();
  }

  /** Says what the server refuses: where the document would stand while there is none. @param {string} words */
  #refuse(words) {
    if (this.built === null) showRefusal(this.element, this.notices, words);
    else this.notices.error(words);
  }

  /** Says what is wrong with a filter, unless its field says it.  @param {number} figure @param {string} words */
  #refuseFilter(figure, words) {
    const field = this.element.querySelector(`[data-figure="${figure}"] .filter.refused`);
    if (!field?.checkVisibility()) this.#refuse(words);
  }

  /** The document has another version than the one that is shown, which stays until the user wants the new one. */
  #offerVersion() {
    this.notices.offer("version", "This plot has a new version.", "Show it", () => {
      if (this.wholePage) {
        this.url?.write();
        location.reload();
        return;
      }
      this.connection.close();
      this.connection.open();
    });
  }

  /**
   * A dataset has other rows, if its version is another: they are drawn where the old ones were.
   * @param {string} dataset @param {import("./figure/growth/streams.js").Told} told
   */
  #renew(dataset, told) {
    if (this.versions.get(dataset) === told.version) return;
    this.versions.set(dataset, told.version);
    this.streams.take(dataset, told);
    this.cache.forget(dataset);
    for (const figure of this.figures) if (figure.layers.some((l) => l.spec.dataset === dataset)) figure.renew();
  }

  /** What is to be said of a dataset besides its rows.  @param {string} dataset @param {string[]} notes */
  #note(dataset, notes) {
    for (const figure of this.figures) {
      for (const layer of figure.layers) if (layer.spec.dataset === dataset) layer.notes = notes;
      figure.dispatchEvent(new Event("notes"));
    }
  }

  /** @param {Opened["json"]} hello @param {Map<string, Uint8Array>} luts */
  #build(
    { document: spec, options = {}, datasets, cmap_aliases: cmapAliases = {}, offline = false, follow = [] },
    luts,
  ) {
    const { connection, embedded, cache, latency, theme, notices, streams, element } = this;
    const title = spec.title || spec.id;
    if (this.wholePage) document.title = title || "bigviz";
    element.querySelector(".opening")?.remove();
    const shared = { connection, embedded, cache, latency, theme, notices, streams };
    /** @type {Page} */
    const page = { title, ...shared, luts, cmapAliases, datasets, offline };
    const { signal } = this.building;
    const values = new ControlValues(spec.controls ?? {}, options);
    this.values = page.values = values;
    const { make, tables, numbers } = controlMaker(spec, values, page, signal);
    this.tables = tables;
    const layout = find(element, ".layout", HTMLElement);
    const { figures: placed, tabs } = buildLayout(spec, layout, {
      control: make,
      panel: (box, ids) => foldControls(box, ids, values, signal),
    });
    if (this.address) readTabs(new URLSearchParams(this.address.hash.slice(1)), tabs);
    for (const each of tabs) each.addEventListener("turn", () => this.#turn());
    this.figures = makeFigures(spec, placed, page);
    this.inexact = new Set(this.figures.filter((figure) => !figure.isAsleep));
    const isShared = spec.controls !== undefined || this.inexact.size < this.figures.length;
    frameFigures(
      element,
      this.figures,
      { title, isShared, hasBrand: this.wholePage && !embedded && !offline },
      this.#tools,
    );
    this.url?.dispose();
    const links = linkFigures(spec.links ?? [], { figures: this.figures, numbers, page }, signal);
    const steps = new ViewerSteps(layout, signal);
    if (this.address) this.url = new UrlState(this.figures, signal, this.address, { values, tabs, steps });
    for (const figure of this.figures) {
      bindFigure(figure, { notices: this.notices, help: this.help, signal });
      figure.addEventListener("exact", () => this.#needNot(figure));
    }
    const drag = new ControlDrag({ figures: this.figures, values, page, links }, signal);
    drag.listen(layout);
    followValues(this.figures, values, signal, (figure, id) => [drag, ...links].some((each) => each.shows(figure, id)));
    this.#followRows(links, signal);
    this.makeControl = make;
    followOptions(
      values,
      page,
      (id) => this.#control(id),
      (id) => this.#remake(id),
      signal,
    );
    this.session.build(this.figures, values);
    deliverAnswers(page, this.figures, signal);
    this.follower = new Follower(page, this.figures, follow, this.versions, this.building.signal);
    this.dispatchEvent(new Event("built"));
    queueMicrotask(() => this.#needNot()); // there may be none in front
  }

  /**
   * Tables show the rows that are selected or brushed in their figures.
   * @param {import("./brush/linked-brush.js").LinkedBrush[]} links
   * @param {AbortSignal} signal
   */
  #followRows(links, signal) {
    for (const [id, table] of this.tables) {
      const figure = this.figures.find((each) => each.spec.id === this.values?.controls[id].figure);
      if (!figure) continue;
      const brushes = links.filter((each) => each.figures.includes(figure));
      table.follow(figure.selection, ...brushes.map((each) => new BrushRows(each, figure.page, signal)));
    }
  }

  /** Other tabs are in front. */
  #turn() {
    for (const figure of this.figures) {
      if (figure.section.closest("[hidden]") === null) figure.wake();
      else {
        figure.isAsleep = true;
        this.#needNot(figure);
      }
    }
  }

  /** Nobody waits for a figure any more.  @param {Figure} [figure] */
  #needNot(figure) {
    if (figure) this.inexact.delete(figure);
    if (this.isReady || this.inexact.size > 0) return;
    this.isReady = true;
    this.dispatchEvent(new Event("ready"));
  }

  /** What the page's own buttons do. */
  get #tools() {
    const { theme, panel, help, wholePage, embedded, element, figures } = this;
    const copy = () => {
      this.url?.write();
      void copyLink(this.connection.url, this.notices);
    };
    const link = wholePage && !embedded ? copy : null;
    return { theme, about: () => showAbout(element, figures), latency: panel.toggle, help, link, wholePage };
  }
}
