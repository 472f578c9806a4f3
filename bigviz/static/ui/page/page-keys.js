// Keys pressed where nothing has the focus.

/** @typedef {import("../../figure/figure.js").Figure} Figure */

/**
 * If nothing has the focus, or only a button that was clicked, keys go to the plot under the pointer, the button's
 * plot, or the only one; but Enter presses the button.
 * @param {{root: HTMLElement, figures: () => readonly Figure[], wholePage: boolean, help: () => void, signal:
 *   AbortSignal}} o `wholePage`: keys pressed anywhere on the page count, else those within `root` or with the pointer
 *   over one of its plots; `signal` ends it
 */
export function listenPageKeys({ root, figures, wholePage, help, signal }) {
  document.addEventListener(
    "keydown",
    (event) => {
      const { target } = event;
      if (event.defaultPrevented || !(target instanceof Element)) return;
      const all = figures();
      const button = event.key === "Enter" ? null : target.closest("button");
      const free = target === document.body || (button && !target.closest("dialog, [popover='auto']"));
      const isOurs = wholePage || root.contains(target);
      const only = isOurs && all.length === 1 ? all[0] : null;
      const figure =
        all.find((f) => f.surface.matches(":hover")) ?? all.find((f) => f.section.contains(target)) ?? only;
      if (free && figure && event.key !== "Tab") {
        if (figure.surface.dispatchEvent(new KeyboardEvent(event.type, event))) return;
        event.preventDefault();
        figure.surface.focus({ preventScroll: true });
      } else if (event.key === "?" && isOurs && !target.closest("input, select, dialog")) help();
    },
    { signal },
  );
}
