// The button that brings a figure's form where the figure is too narrow to have it always: below the bar, or on a phone as a sheet.

import { find } from "../dom.js";

/** Screens on which the form is a sheet, as in controls.css. */
const PHONE = "(max-width: 640px)";
/** A single figure of this width and more has room for its form from the start. */
const ROOMY = 640;

/** @param {import("../figure/figure.js").Figure} figure */
export function bindSettings({ section }) {
  const bar = find(section, ".bar", HTMLElement);
  const button = find(bar, '[data-act="settings"]', HTMLButtonElement);
  const form = find(bar, "form.pickers", HTMLFormElement);
  const isOpen = () => bar.hasAttribute("data-open");
  const open = (/** @type {boolean} */ is) => {
    bar.toggleAttribute("data-open", is);
    button.setAttribute("aria-expanded", String(is));
    if (is && matchMedia(PHONE).matches) {
      form.popover = "manual"; // lists and dialogs that open from it must not close it
      form.showPopover();
      form.focus();
    } else form.popover = null;
  };
  const close = () => {
    const hadFocus = form.contains(document.activeElement);
    open(false);
    if (hadFocus) button.focus();
  };
  form.tabIndex = -1;
  button.addEventListener("click", () => open(!isOpen()));
  find(form, '[data-act="close-settings"]', HTMLButtonElement).addEventListener("click", close);
  form.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !event.defaultPrevented && form.popover) close();
  });
  section.closest(".bigviz")?.addEventListener("pointerdown", ({ target }) => {
    if (form.popover && target instanceof Element && !target.closest("[popover]") && !button.contains(target)) close();
  });
  open(section.classList.contains("alone") && section.clientWidth >= ROOMY);
}
