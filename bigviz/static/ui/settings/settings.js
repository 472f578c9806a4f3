// The button that brings a figure's form where the figure is too narrow to have it always: below the bar, or on a phone
// as a sheet.

import { find } from "../../dom.js";

/** Screens on which the form is a sheet, as in controls.css. */
const PHONE = "(max-width: 640px)";
/** A figure that stands alone and has this width or more has room for its form from the start. */
const ROOMY = 640;

/** One in a page of others has that height besides: they made the frame for the plot. */
const TALL = 560;

/** @param {import("../../figure/figure.js").Figure} figure */
export function bindSettings({ section, page }) {
  const bar = find(section, ".bar", HTMLElement);
  const button = find(bar, '[data-act="settings"]', HTMLButtonElement);
  const form = find(bar, "form.pickers", HTMLFormElement);
  const isAlone = section.classList.contains("alone");
  /** Stops listening for presses outside the sheet. */ let sheet = new AbortController();
  const isOpen = () => bar.hasAttribute("data-open");
  const open = (/** @type {boolean} */ is) => {
    bar.toggleAttribute("data-open", is);
    button.setAttribute("aria-expanded", String(is));
    sheet.abort();
    if (is && matchMedia(PHONE).matches) {
      form.popover = "manual"; // lists and dialogs that open from it must not close it
      form.showPopover();
      form.focus();
      sheet = new AbortController();
      document.addEventListener("pointerdown", beside, { signal: sheet.signal });
    } else form.popover = null;
  };
  const close = () => {
    const hadFocus = form.contains(document.activeElement);
    open(false);
    if (hadFocus) button.focus();
  };
  const beside = (/** @type {PointerEvent} */ { target }) => {
    if (!form.isConnected)
      sheet.abort(); // the document was taken away with its sheet open
    else if (target instanceof Element && !target.closest("[popover]") && !button.contains(target)) close();
  };
  form.tabIndex = -1;
  button.addEventListener("click", () => open(!isOpen()));
  find(form, '[data-act="close-settings"]', HTMLButtonElement).addEventListener("click", close);
  form.addEventListener("keydown", (event) => {
    const covers = !isAlone || form.popover !== null;
    if (event.key === "Escape" && !event.defaultPrevented && covers && isOpen()) close();
  });
  open(isAlone && section.clientWidth >= ROOMY && (!page.embedded || section.clientHeight >= TALL));
}
