// A panel beside a figure's plot, below it where the figure is narrow. The plot makes room for it and is never covered;
// an edge of the panel is dragged, or moved with the arrow keys. Escape closes it and gives the focus back.

import { find, make } from "../../dom.js";

/** A figure narrower than this, in CSS pixels, has it below the plot. */
const NARROW = 640;
/** What the panel and the plot have at least, in CSS pixels. */
const LEAST = 220;
const STEP = 24;
/** The sizes that viewers chose, for all figures of the page: widths beside plots, heights below them.
 * @type {{beside: number|null, below: number|null}} */
const chosen = { beside: null, below: null };

export class SidePanel {
  /** @param {HTMLElement} section a figure @param {() => void} closing the viewer closes it */
  constructor(section, closing) {
    this.section = section;
    this.closing = closing;
    this.element = find(section, ".side", HTMLElement);
    this.grip = make("div", {
      class: "side-grip",
      attrs: {
        role: "separator",
        tabindex: "0",
        "aria-label": "Size of the panel",
        title: "Drag for more or less room",
      },
    });
    this.element.prepend(this.grip);
    /** What had the focus when the panel took it.  @type {HTMLElement|null} */ this.before = null;
    this.sizing = new ResizeObserver(() => this.#place());
    find(this.element, '[data-act="close-side"]', HTMLButtonElement).addEventListener("click", () => closing());
    this.element.addEventListener("keydown", (event) => this.#key(event));
    this.grip.addEventListener("pointerdown", (event) => this.#drag(event));
  }

  get isOpen() {
    return !this.element.hidden;
  }

  /** @param {string} label of the region */
  open(label) {
    this.element.setAttribute("aria-label", label);
    if (this.isOpen) return;
    this.element.hidden = false;
    this.sizing.observe(this.section);
    this.#place();
    if (this.section.dataset.side === "below") this.section.scrollIntoView({ block: "start" });
  }

  /** The keyboard goes on in the panel. */
  focus() {
    const { activeElement } = document;
    if (this.element.contains(activeElement)) return;
    this.before = activeElement instanceof HTMLElement ? activeElement : null;
    this.element.focus({ preventScroll: true });
  }

  /** @param {HTMLElement} instead has the focus where what had it before is gone */
  close(instead) {
    if (!this.isOpen) return;
    const isInside = this.element.contains(document.activeElement);
    this.element.hidden = true;
    this.sizing.disconnect();
    delete this.section.dataset.side;
    const back = this.before?.isConnected && this.before !== document.body ? this.before : instead;
    this.before = null;
    if (isInside) back.focus({ preventScroll: true });
  }

  /** Beside the plot or below it, and how large. */
  #place() {
    const { section, grip } = this;
    if (section.clientWidth === 0) return;
    const side = section.clientWidth < NARROW ? "below" : "beside";
    if (section.dataset.side !== side) section.dataset.side = side;
    const size = chosen[side];
    if (size === null) section.style.removeProperty("--side");
    else section.style.setProperty("--side", `${Math.round(Math.min(size, this.#most(side)))}px`);
    grip.setAttribute("aria-orientation", side === "beside" ? "vertical" : "horizontal");
    grip.setAttribute("aria-valuemin", String(LEAST));
    grip.setAttribute("aria-valuemax", String(Math.round(this.#most(side))));
    grip.setAttribute("aria-valuenow", String(Math.round(this.#size(side))));
  }

  /** @param {"beside"|"below"} side */
  #most(side) {
    const { clientWidth, clientHeight } = this.section;
    return Math.max(LEAST, (side === "beside" ? clientWidth : clientHeight) - LEAST);
  }

  /** @param {"beside"|"below"} side */
  #size(side) {
    return side === "beside" ? this.element.offsetWidth : this.element.offsetHeight;
  }

  /** @param {number} size CSS pixels */
  #resize(size) {
    const side = this.section.dataset.side === "below" ? "below" : "beside";
    chosen[side] = Math.max(LEAST, Math.min(this.#most(side), size));
    this.#place();
  }

  /** @param {PointerEvent} event */
  #drag(event) {
    if (event.button !== 0) return;
    event.preventDefault();
    const { grip, element } = this;
    grip.setPointerCapture(event.pointerId);
    const isBeside = this.section.dataset.side !== "below";
    const box = element.getBoundingClientRect();
    const move = (/** @type {PointerEvent} */ at) =>
      this.#resize(isBeside ? box.right - at.clientX : box.bottom - at.clientY);
    const end = () => {
      grip.removeEventListener("pointermove", move);
      grip.removeEventListener("lostpointercapture", end);
    };
    grip.addEventListener("pointermove", move);
    grip.addEventListener("lostpointercapture", end);
  }

  /** Keys pressed here are none of the plot's, but for undo and redo.  @param {KeyboardEvent} event */
  #key(event) {
    if (event.altKey || event.key === "Tab") return;
    event.stopPropagation();
    if (event.defaultPrevented) return;
    if (event.key === "Escape") {
      event.preventDefault();
      this.closing();
    } else if (event.target === this.grip) {
      const way = { ArrowLeft: 1, ArrowUp: 1, ArrowRight: -1, ArrowDown: -1 }[event.key];
      if (way === undefined) return;
      event.preventDefault();
      this.#resize(this.#size(this.section.dataset.side === "below" ? "below" : "beside") + way * STEP);
    }
  }
}
