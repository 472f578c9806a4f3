// The buttons of a figure and of the page.

import { clone, find, keepStop, ownPopover, roving, setIcon } from "../dom.js";
import { canFollowX } from "./status/live.js";
import { copyImage, saveImage } from "./save-png.js";

/** @typedef {import("../figure/figure.js").Figure} Figure */
/** @typedef {(name: string, shift: boolean, time: number) => void} Act */

const ZOOM = 1.5;
/** What a drag over the plot does in place of moving it. */
const MODES = ["box", "select", "lasso"];

/**
 * Wires a figure's toolbar.
 * @param {Figure} figure @param {{help: () => void, rows: () => void}} page `rows` looks into those in view
 * @returns {Act} what a key of the same meaning calls
 */
export function bindToolbar(figure, page) {
  const { section, surface } = figure;
  const bar = find(section, ".fig-tools", HTMLElement);
  const button = (/** @type {string} */ act) => find(section, `[data-act="${act}"]`, HTMLButtonElement);
  roving(bar);

  const zoom = (/** @type {number} */ factor, /** @type {number} */ time) => {
    const { view } = figure;
    if (view) figure.moves.zoom(factor, factor, view.width / 2, view.height / 2, time);
  };
  /** @type {Act} */
  const act = (name, shift, time) => {
    if (name === "undo" || name === "redo") figure.steps.travel(name, time);
    else if (name === "in" || name === "out") zoom(name === "in" ? 1 / ZOOM : ZOOM, time);
    else if (name === "home") figure.moves.home("xy", time);
    else if (name === "follow") {
      if (figure.followY.isPossible) figure.moves.followY(!figure.followY.isOn);
    } else if (name === "live") {
      if (canFollowX(figure)) figure.moves.followX(!figure.ranges.x.isFollowing, time);
    } else if (name === "full") fullScreen(section, figure.page.notices);
    else if (name === "save") void saveImage(figure, shift ? 2 : 1);
    else if (name === "help") page.help();
    else if (name === "rows") page.rows();
    else if (name === "view") figure.selection.selectView();
    else if (MODES.includes(name)) {
      const on = surface.dataset.mode !== name;
      if (on) surface.dataset.mode = name;
      else delete surface.dataset.mode;
      for (const each of MODES) button(each).setAttribute("aria-pressed", String(on && each === name));
    }
  };
  for (const name of ["undo", "redo", "in", "out", "home", "follow", "live", ...MODES, "rows", "full"])
    button(name).addEventListener("click", (event) => act(name, false, event.timeStamp));
  for (const name of ["select", "lasso", "rows"]) button(name).hidden = !figure.selection.requests.isPossible;
  bindSave(figure, button("save"));
  // In a text box of the form a browser would leave the page.
  section.addEventListener("keydown", (event) => {
    const way =
      event.altKey && !event.ctrlKey && !event.metaKey
        ? { ArrowLeft: "undo", ArrowRight: "redo" }[event.key]
        : undefined;
    if (!way || event.defaultPrevented) return;
    event.preventDefault();
    act(way, false, event.timeStamp);
  });

  let shown = "";
  const history = () => {
    const { steps, followY, ranges } = figure;
    const { isFollowing } = ranges.x;
    const canFollow = canFollowX(figure);
    const now = [steps.canUndo, steps.canRedo, followY.isPossible, followY.isOn, canFollow, isFollowing].join();
    if (now === shown) return;
    shown = now;
    button("undo").disabled = !steps.canUndo;
    button("redo").disabled = !steps.canRedo;
    button("follow").hidden = !followY.isPossible;
    button("follow").setAttribute("aria-pressed", String(followY.isOn));
    button("live").hidden = !canFollow;
    button("live").setAttribute("aria-pressed", String(isFollowing));
    if (canFollow) section.dataset.follow = isFollowing ? "1" : "0";
    else delete section.dataset.follow;
    keepStop(bar);
  };
  for (const event of ["rest", "frame"]) figure.addEventListener(event, history);
  section.addEventListener("fullscreenchange", () => {
    const full = document.fullscreenElement === section;
    button("full").setAttribute("aria-pressed", String(full));
    setIcon(button("full"), full ? "unfull" : "full");
  });
  return act;
}

/** @param {Figure} figure @param {HTMLButtonElement} button */
function bindSave(figure, button) {
  const menu = find(figure.section, '[data-menu="save"]', HTMLElement);
  roving(menu);
  ownPopover(menu, button);
  for (const item of menu.querySelectorAll("button")) {
    item.addEventListener("click", () => {
      menu.hidePopover();
      if (item.dataset.save === "copy") void copyImage(figure);
      else void saveImage(figure, Number(item.dataset.save));
    });
  }
}

/** @param {HTMLElement} section @param {import("../figure/page.js").Notices} notices */
function fullScreen(section, notices) {
  if (document.fullscreenElement) void document.exitFullscreen();
  else if (section.requestFullscreen)
    section.requestFullscreen().catch(() => notices.note("This browser does not allow full screen here."));
  else notices.note("This browser has no full screen.");
}

/**
 * The page's own buttons: in the app bar, or in the bar of the only figure.
 * @param {HTMLElement} into
 * @param {{theme: import("../render/theme.js").Theme, about: () => void, latency: () => void, help: () => void, link:
 *   (() => void)|null}} o `link` copies a link to what is shown; null: the page has no address of its own
 * @returns {HTMLElement} the toolbar
 */
export function pageTools(into, { theme, about, latency, help, link }) {
  const bar = clone("doc-tools");
  into.append(bar);
  roving(bar);
  const button = (/** @type {string} */ act) => find(bar, `[data-act="${act}"]`, HTMLButtonElement);
  button("about").addEventListener("click", about);
  button("latency").addEventListener("click", latency);
  button("help").addEventListener("click", help);
  button("link").hidden = link === null;
  if (link) button("link").addEventListener("click", link);
  const name = () => {
    const words = `Theme: ${theme.choice === "auto" ? "automatic" : theme.choice}`;
    button("theme").setAttribute("aria-label", words);
    button("theme").title = words;
    setIcon(button("theme"), theme.choice);
  };
  button("theme").addEventListener("click", () => theme.next());
  theme.addEventListener("change", name);
  name();
  return bar;
}
