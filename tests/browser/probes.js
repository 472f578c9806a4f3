// What the tests look at, as functions of the page: loaded before the page's own modules.
/** Timers that have not fired, and their milliseconds: what the page has put off, as writing its address. */
const timers = new Map();
const { setTimeout, clearTimeout } = window;
const NEVER = 2 ** 31 - 1;
/** Timers of so many milliseconds or more never fire: what a page takes away after a while, a slow test would miss. */
let longest = 5000;
window.setTimeout = (run, ms = 0, ...given) => {
  const fire = () => {
    timers.delete(timer);
    run(...given);
  };
  const timer = setTimeout(fire, ms < longest ? ms : NEVER);
  timers.set(timer, ms);
  return timer;
};
window.clearTimeout = (timer) => {
  timers.delete(timer);
  clearTimeout(timer);
};

window.probe = {
  /** Nothing is put off by so many milliseconds or fewer. */
  isIdle: (ms) => [...timers.values()].every((each) => each > ms),

  /** Timers that are set from now on never fire, if they would do so after so many milliseconds or more. */
  hold(ms) {
    longest = ms;
  },

  /** Comes back in a later frame.  @param {number} count frames from now */
  async frame(count) {
    for (let k = 0; k < count; k++) await new Promise((resolve) => requestAnimationFrame(resolve));
  },

  /** [width, height, base64 of the RGBA bytes] of a figure's data canvas. */
  pixels(figure) {
    const canvas = document.querySelector(`[data-figure="${figure}"] canvas.data`);
    const { width, height } = canvas;
    const bytes = canvas.getContext("2d").getImageData(0, 0, width, height).data;
    let text = "";
    for (let k = 0; k < bytes.length; k += 32768) text += String.fromCharCode(...bytes.subarray(k, k + 32768));
    return [width, height, btoa(text)];
  },

  /** How many views of a figure have settled. */
  settled: (figure) => performance.getEntriesByName("bigviz:view").filter((e) => e.detail.figure === figure).length,

  /** Counts messages from now on, in `probe.sent`. */
  countSent() {
    this.sent = 0;
    const { send } = WebSocket.prototype;
    WebSocket.prototype.send = function (...parts) {
      window.probe.sent++;
      return send.apply(this, parts);
    };
  },

  /** The tooltip's names and values. */
  tip(figure) {
    const tip = document.querySelector(`[data-figure="${figure}"] .tip`);
    const values = [...tip.querySelectorAll("dd")];
    return Object.fromEntries([...tip.querySelectorAll("dt")].map((name, k) => [name.textContent, values[k].textContent]));
  },

  /** [what has the focus, whether one sees it]. */
  focus() {
    const e = document.activeElement;
    const isRing = ({ outlineStyle, outlineWidth }) => outlineStyle !== "none" && Number.parseFloat(outlineWidth) >= 2;
    const styles = [getComputedStyle(e), getComputedStyle(e, "::after")];
    return [e.name || e.dataset.act || e.className || e.tagName, styles.some(isRing)];
  },

  /** Controls without a name, under 24 pixels, or beyond the window's sides: tools that scroll, as one. */
  poorControls() {
    const strip = (e) => {
      const tools = e.closest(".fig-tools");
      return tools && getComputedStyle(tools).overflowX === "auto" ? tools : null;
    };
    const poor = (e) => {
      const box = (e.closest("label") ?? e).getBoundingClientRect();
      const { left, right } = strip(e)?.getBoundingClientRect() ?? box;
      const name = e.ariaLabel || e.textContent.trim() || e.closest("label")?.textContent || e.title || e.querySelector("img")?.alt;
      return !name || box.width < 24 || box.height < 24 || left < -1 || right > innerWidth + 1;
    };
    const all = [...document.querySelectorAll('button, select, input, a, [tabindex="0"]')].filter((e) => e.checkVisibility());
    return all.filter((e) => !e.closest("select > button") && poor(e)).map((e) => e.outerHTML.slice(0, 120));
  },

  /** [words, their colour, the colour behind them] of everything that one reads. */
  words() {
    const context = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
    const rgb = (colour) => {
      context.clearRect(0, 0, 1, 1);
      context.fillStyle = colour;
      context.fillRect(0, 0, 1, 1);
      return [...context.getImageData(0, 0, 1, 1).data].slice(0, 3);
    };
    const behind = (e) => {
      for (let at = e; at; at = at.parentElement) {
        const { backgroundColor } = getComputedStyle(at);
        if (!/, 0\)$|transparent/.test(backgroundColor)) return rgb(backgroundColor);
      }
      return [255, 255, 255];
    };
    return [...document.querySelectorAll("button, select, label > span, h1, h2, p, td, th, .status span, dt, dd")]
      .filter((e) => e.checkVisibility() && e.textContent.trim() && !e.disabled)
      .map((e) => [e.textContent.trim().slice(0, 30), rgb(getComputedStyle(e).color), behind(e)]);
  },

  /** Chooses a colour map and comes back in the very next frame, when the page has drawn. */
  restyle(name) {
    const select = document.querySelector("[name=cmap]");
    select.value = name;
    select.dispatchEvent(new Event("change", { bubbles: true }));
    return new Promise((resolve) => requestAnimationFrame(() => resolve(this.pixels(0)[2])));
  },

  /**
   * Looks at the middle of the picture in every frame from now on: `frames` seen, and how many colours of the `blank`
   * ones among them, which are of one colour or show nothing of the data.
   * @param {number[]} empty pixels of a plot without data
   */
  watch(empty) {
    this.frames = 0;
    this.blank = [];
    const canvas = document.querySelector("canvas.data");
    const ground = document.createElement("canvas").getContext("2d");
    ground.fillStyle = getComputedStyle(document.body).backgroundColor; // of a canvas that was just resized
    ground.fillRect(0, 0, 1, 1);
    const none = new Set([...empty, ...new Uint32Array(ground.getImageData(0, 0, 1, 1).data.buffer)]);
    const look = () => {
      const { data } = canvas.getContext("2d").getImageData(canvas.width / 2 - 50, canvas.height / 2 - 50, 100, 100);
      const seen = new Set(new Uint32Array(data.buffer));
      this.frames++;
      if (seen.size < 2 || [...seen].every((pixel) => none.has(pixel))) this.blank.push(seen.size);
      requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  },

  /** When the live region spoke, in `spoken`. */
  listen() {
    this.spoken = [];
    const heard = () => this.spoken.push(performance.now());
    new MutationObserver(heard).observe(document.querySelector(".live"), { childList: true, characterData: true, subtree: true });
  },

  /** Elements that move by themselves. */
  animated() {
    const moves = ({ animationName, transitionDuration }) => animationName !== "none" || transitionDuration.split(",").some((t) => Number.parseFloat(t) > 0.02);
    return [...document.querySelectorAll("*")].filter((e) => moves(getComputedStyle(e))).map((e) => e.className);
  },
};
