// Small helpers over the DOM. Data enters the page through text nodes and properties only.

/**
 * The one element that a selector names under a root.
 * @template {Element} T
 * @param {ParentNode} root @param {string} selector @param {new () => T} type
 * @returns {T} throws when it is missing or of another type: then the page's markup and its script disagree
 */
export function find(root, selector, type) {
  const found = root.querySelector(selector);
  if (!(found instanceof type)) throw new Error(`the page has no ${type.name} at ${selector}`);
  return found;
}

/**
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {{class?: string, text?: string, attrs?: Record<string, string>}} [o]
 * @param {(Node|string)[]} [children] strings become text nodes
 * @returns {HTMLElementTagNameMap[K]}
 */
export function make(tag, o = {}, children = []) {
  const element = document.createElement(tag);
  if (o.class) element.className = o.class;
  if (o.text !== undefined) element.textContent = o.text;
  for (const [name, value] of Object.entries(o.attrs ?? {})) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** A button that is text alone.  @param {string} text @param {() => void} act when it is pressed */
export function textButton(text, act) {
  const button = make("button", { class: "text", text, attrs: { type: "button" } });
  button.addEventListener("click", act);
  return button;
}

/** A copy of a template's only element.  @param {string} id @returns {HTMLElement} */
export function clone(id) {
  const template = find(document, `template#${id}`, HTMLTemplateElement);
  const copy = document.importNode(template.content, true).firstElementChild;
  if (!(copy instanceof HTMLElement)) throw new Error(`template ${id} is empty`);
  return copy;
}

/** A copy of all that a template holds.  @param {string} id @returns {Node[]} */
export function cloneAll(id) {
  return [...document.importNode(find(document, `template#${id}`, HTMLTemplateElement).content, true).childNodes];
}

/** @param {string} name a symbol of icons.svg, which a page that has all within itself holds in its own markup */
function iconAddress(name) {
  if (document.getElementById("bigviz-icons")) return `#icon-${name}`;
  return `${new URL("./icons.svg", import.meta.url).href}#${name}`;
}

/** @param {string} name a symbol of icons.svg @returns {SVGSVGElement} */
export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", iconAddress(name));
  svg.append(use);
  return svg;
}

/** Shows another symbol in a button that already has an icon.  @param {Element} button @param {string} name */
export function setIcon(button, name) {
  button.querySelector("use")?.setAttribute("href", iconAddress(name));
}

/**
 * Whether a drag up or down over an element has something to scroll: a box round it, or the page.
 * @param {Element} element @returns {boolean} false in full screen, where only the element is
 */
export function scrolls(element) {
  const { fullscreenElement, scrollingElement } = document;
  if (fullscreenElement?.contains(element)) return false;
  for (
    let at = element.parentElement;
    at && at !== document.body && at !== document.documentElement;
    at = at.parentElement
  )
    if (at.scrollHeight > at.clientHeight + 1 && /auto|scroll/.test(getComputedStyle(at).overflowY)) return true;
  const held = [document.body, document.documentElement].some((e) => getComputedStyle(e).overflowY === "hidden");
  return !held && scrollingElement !== null && scrollingElement.scrollHeight > scrollingElement.clientHeight + 1;
}

/** Shows a popover above everything, a figure in full screen too.  @param {HTMLElement} popover */
export function raise(popover) {
  if (popover.matches(":popover-open")) popover.hidePopover();
  popover.showPopover();
}

/**
 * Opens or closes a popover next to the button that owns it, inside the window.
 * @param {HTMLElement} popover @param {HTMLElement} button
 */
function togglePopover(popover, button) {
  if (popover.matches(":popover-open")) {
    popover.hidePopover();
    return;
  }
  popover.showPopover();
  const box = button.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = popover;
  const below = box.bottom + 6;
  const top = below + height > innerHeight - 8 ? Math.max(8, box.top - height - 6) : below;
  popover.style.left = `${Math.max(8, Math.min(box.right - width, innerWidth - width - 8))}px`;
  popover.style.top = `${top}px`;
}

/**
 * Ties a button's aria-expanded to its popover, and gives the focus back to it when the popover closes with the focus
 * inside.
 * @param {HTMLElement} popover @param {HTMLElement} button
 */
export function ownPopover(popover, button) {
  // A press on the button light-dismisses the open popover before its click arrives, which would then open it again.
  let wasOpen = false;
  button.addEventListener("pointerdown", () => {
    wasOpen = popover.matches(":popover-open");
  });
  button.addEventListener("click", (event) => {
    if (!(wasOpen && event.detail > 0)) togglePopover(popover, button);
    wasOpen = false;
  });
  popover.addEventListener("toggle", (event) => {
    const open = /** @type {ToggleEvent} */ (event).newState === "open";
    button.setAttribute("aria-expanded", String(open));
    const first = popover.querySelector("button, input");
    if (open && first instanceof HTMLElement) first.focus();
  });
  popover.addEventListener("beforetoggle", (event) => {
    if (/** @type {ToggleEvent} */ (event).newState === "closed" && popover.contains(document.activeElement))
      button.focus();
  });
}

/**
 * One stop of the Tab key for a toolbar or menu; arrows, Home and End go between its buttons.
 * @param {HTMLElement} bar
 */
export function roving(bar) {
  const buttons = () => [...bar.querySelectorAll("button")].filter((b) => !b.disabled && b.offsetParent !== null);
  const only = (/** @type {HTMLElement} */ chosen) => {
    for (const button of bar.querySelectorAll("button")) button.tabIndex = button === chosen ? 0 : -1;
  };
  const first = bar.querySelector("button:not(:disabled)");
  if (first instanceof HTMLElement) only(first);
  bar.addEventListener("focusin", (event) => {
    if (event.target instanceof HTMLElement) only(event.target);
  });
  bar.addEventListener("keydown", (event) => {
    const all = buttons();
    const now = all.indexOf(/** @type {HTMLButtonElement} */ (document.activeElement));
    const to = {
      ArrowRight: now + 1,
      ArrowDown: now + 1,
      ArrowLeft: now - 1,
      ArrowUp: now - 1,
      Home: 0,
      End: all.length - 1,
    }[event.key];
    if (to === undefined || event.altKey || all.length === 0) return;
    event.preventDefault();
    event.stopPropagation();
    all[(to + all.length) % all.length].focus();
  });
}

/** A roving bar whose stop was disabled or hidden gets another one.  @param {HTMLElement} bar */
export function keepStop(bar) {
  const all = [...bar.querySelectorAll("button")];
  const stop = all.find((b) => b.tabIndex === 0);
  if (stop && !stop.disabled) return;
  const next = all.find((b) => !b.disabled);
  for (const button of all) button.tabIndex = button === next ? 0 : -1;
}
