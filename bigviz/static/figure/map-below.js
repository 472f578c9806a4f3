// A figure's map on a canvas of its own below the data: hosts that let no page read their tiles taint that canvas and
// not the one with the data. With it, in a corner of the plot and of a saved image, who made the map.

import { make } from "../dom.js";
import { Basemap } from "../layers/map/basemap.js";

/** @typedef {import("../axes/draw.js").Context} Context */
/** @typedef {import("../axes/draw.js").Look} Look */
/** @typedef {import("../layers/map/map-images.js").MapImages} MapImages */
/** @typedef {import("../types.js").BasemapSpec} BasemapSpec */
/** @typedef {import("../geometry/view.js").View} View */
/** @typedef {Readonly<{view: View, ground: string, dpr: number}>} Drawn */

/** How long a saved image waits for its tiles. */
const WAIT_MS = 8000;
const CREDIT = { size: 11, line: 15, pad: 5 };

export class MapBelow {
  /**
   * @param {BasemapSpec} spec
   * @param {{section: HTMLElement, surface: HTMLElement, over: HTMLElement}} o the figure, its surface, what lies over
   *   the plot
   */
  constructor(spec, { section, surface, over }) {
    this.spec = spec;
    this.section = section;
    this.canvas = make("canvas", { class: "basemap" });
    surface.prepend(this.canvas);
    this.credit = make("p", { class: "attribution", text: spec.attribution });
    over.prepend(this.credit);
    const context = this.canvas.getContext("2d", { alpha: false });
    if (!context) throw new Error("this browser gives no 2D canvas");
    this.context = context;
    this.basemap = new Basemap(spec, { changed: () => this.#changed() });
    /** @type {Drawn|null} what was drawn last */ this.drawn = null;
    this.queued = 0;
  }

  dispose() {
    cancelAnimationFrame(this.queued);
    this.queued = -1;
    this.basemap.images.dispose();
  }

  /** Lies where a canvas lies, and is as large.  @param {HTMLCanvasElement} data */
  fit(data) {
    const { canvas } = this;
    canvas.width = data.width;
    canvas.height = data.height;
    for (const name of /** @type {const} */ (["width", "height", "transform"])) canvas.style[name] = data.style[name];
    const drawn = this.drawn;
    this.drawn = null;
    if (drawn) this.paint(drawn.view.with({ width: canvas.width, height: canvas.height }), drawn.ground, drawn.dpr);
  }

  /** The axes are those of a map, or not.  @param {boolean} isShown */
  show(isShown) {
    if (this.canvas.hidden === !isShown) return;
    this.canvas.hidden = !isShown;
    this.credit.hidden = !isShown;
    this.drawn = null;
  }

  /**
   * Draws what is there of a view; what comes later is drawn when it comes.
   * @param {View} view @param {string} ground colour where no tile is @param {number} dpr
   */
  paint(view, ground, dpr) {
    const { drawn } = this;
    if (drawn?.view === view && drawn.ground === ground && drawn.dpr === dpr) return;
    this.drawn = { view, ground, dpr };
    this.#draw(this.drawn);
  }

  /** @param {Drawn} drawn */
  #draw({ view, ground, dpr }) {
    this.context.fillStyle = ground;
    this.context.fillRect(0, 0, view.width, view.height);
    const flag = this.basemap.draw(this.context, view, dpr) ? "1" : "0";
    if (this.section.dataset.basemap !== flag) this.section.dataset.basemap = flag;
  }

  #changed() {
    if (this.queued !== 0) return;
    this.queued = requestAnimationFrame(() => {
      this.queued = 0;
      if (this.drawn) this.#draw(this.drawn);
    });
  }

  /**
   * The map of a view on a canvas that can be read, once its tiles are there, or as far as they are in 8 s.
   * @param {View} view @param {string} ground @param {number} dpr
   * @returns {Promise<{canvas: OffscreenCanvas, isWhole: boolean}>} not whole: the host lets no page read its tiles,
   *   and they are left out
   */
  async picture(view, ground, dpr) {
    const canvas = new OffscreenCanvas(view.width, view.height);
    const context = canvas.getContext("2d");
    if (!context) throw new Error("this browser gives no 2D canvas");
    context.fillStyle = ground;
    context.fillRect(0, 0, view.width, view.height);
    const basemap = await loaded(this.spec, this.basemap.images, view, dpr);
    basemap?.draw(context, view, dpr);
    basemap?.images.dispose();
    return { canvas, isWhole: basemap !== null };
  }

  /**
   * Writes who made the map into the lower right corner of a plot.
   * @param {Context} ctx in device pixels
   * @param {{x: number, y: number, width: number, height: number}} plot its corner in device, its size in CSS pixels
   * @param {Look} look
   */
  drawCredit(ctx, plot, { palette, font, dpr }) {
    const { size, line, pad } = CREDIT;
    ctx.setTransform(dpr, 0, 0, dpr, plot.x, plot.y);
    ctx.font = `${size}px ${font}`;
    const width = Math.min(plot.width, ctx.measureText(this.spec.attribution).width + 2 * pad);
    const [x, y] = [plot.width - width, plot.height - line];
    ctx.globalAlpha = 0.8;
    ctx.fillStyle = palette.page;
    ctx.fillRect(x, y, width, line);
    ctx.globalAlpha = 1;
    ctx.fillStyle = palette.ink;
    ctx.textBaseline = "middle";
    ctx.textAlign = "left";
    ctx.fillText(this.spec.attribution, x + pad, y + line / 2, width - 2 * pad);
  }
}

/**
 * The tiles of a view, or as many as there are in time, beside those of the screen, which goes on.
 * @param {BasemapSpec} spec @param {MapImages} shared tiles that are there already
 * @param {View} view @param {number} dpr
 * @returns {Promise<Basemap|null>} null where the host lets no page read them
 */
function loaded(spec, shared, view, dpr) {
  return new Promise((resolve) => {
    const basemap = new Basemap(spec, { changed: () => settle() });
    const { images } = basemap;
    images.isClean = shared.isClean;
    for (const [address, entry] of shared.entries)
      if (entry.state === "ready" && entry.isClean) images.entries.set(address, entry);
    const finish = () => {
      clearTimeout(late);
      if (images.isReadable) resolve(basemap);
      else {
        images.dispose();
        resolve(null);
      }
    };
    const late = setTimeout(finish, WAIT_MS);
    const settle = () => {
      if (!images.isReadable || basemap.keys(view, dpr).every((key) => images.isSettled(key, dpr))) finish();
    };
    if (images.isReadable) images.want(basemap.keys(view, dpr), dpr);
    settle();
  });
}
