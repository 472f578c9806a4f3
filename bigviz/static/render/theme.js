// Light, dark, or as the system says; and the colours that canvases draw with, which CSS cannot give them.

/** @typedef {"auto"|"light"|"dark"} Choice */
/**
 * Colours of what is drawn on canvases (screen and saved image alike).
 * @typedef {Readonly<{dark: boolean, page: string, ink: string, muted: string, grid: string, frame: string, plotLight:
 *   string, plotDark: string, line: readonly string[]}>} Palette
 */

const KEY = "bigviz:theme";
/** Fired at the page's root element, so that every document on the page follows. */
const CHOSEN = "bigviz:theme";

/**
 * Line colours keep 3:1 against the plot's ground, and their order differs in luminance as well as in hue.
 * @type {readonly Palette[]}
 */
const PALETTES = Object.freeze([
  Object.freeze({
    dark: false,
    page: "#ffffff",
    ink: "#1b1f27",
    muted: "#5a6272",
    grid: "#e8ebf0",
    frame: "#c3c9d2",
    plotLight: "#ffffff",
    plotDark: "#0b0d11",
    line: ["#1d5fc4", "#c2410c", "#0f766e", "#9333ea", "#a16207", "#be185d"],
  }),
  Object.freeze({
    dark: true,
    page: "#0f1217",
    ink: "#e7eaf0",
    muted: "#9ba5b5",
    grid: "#232932",
    frame: "#3a4250",
    plotLight: "#f4f5f7",
    plotDark: "#08090c",
    line: ["#7fb0ff", "#ff9d5c", "#4fd1c0", "#c9a2ff", "#e6c45c", "#ff8fb8"],
  }),
]);

export class Theme extends EventTarget {
  /** Fires "change" when the colours to draw with change.  @param {AbortSignal} signal ends it */
  constructor(signal) {
    super();
    this.system = matchMedia("(prefers-color-scheme: dark)");
    this.system.addEventListener(
      "change",
      () => {
        if (this.choice === "auto") this.dispatchEvent(new Event("change"));
      },
      { signal },
    );
    document.documentElement.addEventListener(CHOSEN, () => this.dispatchEvent(new Event("change")), { signal });
  }

  /** What the page's root element says, so that it is one choice for all documents on a page. @returns {Choice} */
  get choice() {
    const { theme } = document.documentElement.dataset;
    return theme === "light" || theme === "dark" ? theme : "auto";
  }

  get dark() {
    return this.choice === "auto" ? this.system.matches : this.choice === "dark";
  }

  /** @returns {Palette} */
  get palette() {
    return PALETTES[this.dark ? 1 : 0];
  }

  /** Automatic, then the scheme that is not showing, then the other one. @returns {Choice} what holds now */
  next() {
    const other = this.system.matches ? "light" : "dark";
    const same = this.system.matches ? "dark" : "light";
    this.set(this.choice === "auto" ? other : this.choice === other ? same : "auto");
    return this.choice;
  }

  /** A choice for this page alone, of whoever holds it.  @param {Choice} choice */
  wear(choice) {
    const root = document.documentElement;
    if (choice === "auto") delete root.dataset.theme;
    else root.dataset.theme = choice;
    root.dispatchEvent(new Event(CHOSEN));
  }

  /** The user's choice, kept for other pages too.  @param {Choice} choice */
  set(choice) {
    try {
      if (choice === "auto") localStorage.removeItem(KEY);
      else localStorage.setItem(KEY, choice);
    } catch {
      // Without storage the choice lasts as long as the page.
    }
    this.wear(choice);
  }
}
