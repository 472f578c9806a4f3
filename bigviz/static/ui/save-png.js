// The figure as a PNG: data, axes, colour bar and title, drawn again at the requested size, from tiles of that size.

import { isBars } from "../layers/glyphs.js";
import { lineStyle } from "../layers/layer-style.js";
import { LineLayer } from "../layers/lines/line-layer.js";

/** @typedef {import("../figure/figure.js").Figure} Figure */
/** @typedef {import("../layers/layer.js").Layer} Layer */
/** @typedef {import("../geometry/view.js").View} View */

const WAIT_MS = 8000;
const TITLE = 40;
const NO_MAP = ", without the map: its host lets no page read its tiles.";

/**
 * Offers the figure as a download.
 * @param {Figure} figure
 * @param {number} scale device pixels of the image per CSS pixel
 */
export async function saveImage(figure, scale) {
  const image = await imageOf(figure, scale);
  if (!image) return;
  const link = document.createElement("a");
  link.href = URL.createObjectURL(image.blob);
  link.download = `${fileName(figure.title || figure.page.title)}${scale === 1 ? "" : `@${scale}x`}.png`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  figure.page.notices.note(`Saved as ${link.download}${image.lacksMap ? NO_MAP : ""}`);
}

/** Puts the figure on the clipboard where the browser allows it (https, or this machine).  @param {Figure} figure */
export async function copyImage(figure) {
  const { notices } = figure.page;
  try {
    const image = imageOf(figure, Math.max(1, Math.round(figure.dpr)));
    const png = image.then((made) => made?.blob ?? Promise.reject(new Error("nothing to copy")));
    await navigator.clipboard.write([new ClipboardItem({ "image/png": png })]);
    notices.note(`The image is on the clipboard${(await image)?.lacksMap ? NO_MAP : "."}`);
  } catch {
    notices.error("This browser does not let this page copy images; save the PNG instead.");
  }
}

/** @param {string} title @returns {string} */
export function fileName(title) {
  const plain = title
    .normalize("NFKD")
    .replaceAll(/[^\p{L}\p{N}]+/gu, "-")
    .replaceAll(/^-+|-+$/g, "");
  return plain.slice(0, 80) || "plot";
}

/**
 * @param {Figure} figure
 * @param {number} scale
 * @returns {Promise<{blob: Blob, lacksMap: boolean}|null>} null before the first picture
 */
async function imageOf(figure, scale) {
  const { view, painter } = figure;
  if (!view || !painter.frame) return null;
  const { width, height, dpr } = painter.size;
  const { plot } = painter.frame;
  const large =
    scale === dpr
      ? view
      : view.with({ width: Math.round(plot.width * scale), height: Math.round(plot.height * scale) });
  const lines = await fetchFor(figure, large);
  const map = await painter.below?.picture(large, painter.groundOf(large), scale);
  const look = { ...painter.look, dpr: scale };
  const scene = painter.sceneOf(large, painter.frame, width, height, look);
  const data = new OffscreenCanvas(large.width, large.height);
  const title = figure.title ? TITLE : 0;
  const page = new OffscreenCanvas(Math.round(width * scale), Math.round((height + title) * scale));
  const [dataContext, ctx] = [data.getContext("2d"), page.getContext("2d")];
  if (!dataContext || !ctx) return null;
  painter.drawData(dataContext, large, scene, true, lines);
  ctx.fillStyle = look.palette.page;
  ctx.fillRect(0, 0, page.width, page.height);
  ctx.setTransform(scale, 0, 0, scale, 0, 0);
  if (title) {
    ctx.fillStyle = look.palette.ink;
    ctx.font = `600 15px ${look.font}`;
    ctx.textBaseline = "middle";
    ctx.fillText(figure.title, 16, title / 2 + 2);
  }
  ctx.translate(0, title);
  painter.drawChrome(ctx, scene, null);
  ctx.setTransform(1, 0, 0, 1, 0, 0);
  const [left, top] = [Math.round(plot.x * scale), Math.round((plot.y + title) * scale)];
  if (map) ctx.drawImage(map.canvas, left, top);
  ctx.drawImage(data, left, top);
  if (map?.isWhole) painter.below?.drawCredit(ctx, { ...plot, x: left, y: top }, look);
  figure.redraw();
  return { blob: await page.convertToBlob({ type: "image/png" }), lacksMap: map?.isWhole === false };
}

/**
 * Fetches what a view of another size needs: tiles go to the figure's cache, columns to layers of their own.
 * @param {Figure} figure
 * @param {View} view
 * @returns {Promise<Map<Layer, LineLayer>>} lines at the view's width; when the server does
 * not answer in time (or the view is moved meanwhile), what is there is drawn
 */
async function fetchFor(figure, view) {
  const { connection } = figure.page;
  /** @type {Map<Layer, LineLayer>} */
  const lines = new Map();
  /** @type {import("../wire/connection.js").ViewLayer[]} */
  const parts = [];
  for (const layer of figure.layers) {
    const { definition, info, raster, index } = layer;
    if (!definition || !info) continue;
    const tiles = raster?.missing(view).tiles ?? [];
    if (tiles.length > 0) parts.push({ layer: index, definition, tiles });
    if (!layer.line) continue;
    if (isBars(definition.glyph)) continue; // they are the same at any size
    const line = new LineLayer({ definition, info, limits: connection.limits, style: lineStyle(layer, figure.look) });
    lines.set(layer, line);
    const columns = line.request(view);
    if (columns) parts.push({ layer: index, definition, columns });
  }
  if (parts.length > 0 && connection.isUp) await answered(figure, parts, lines);
  for (const [layer, line] of lines) if (!line.complete(view)) lines.delete(layer);
  return lines;
}

/**
 * @param {Figure} figure
 * @param {import("../wire/connection.js").ViewLayer[]} parts
 * @param {Map<Layer, LineLayer>} lines
 * @returns {Promise<void>}
 */
function answered(figure, parts, lines) {
  const { connection } = figure.page;
  return new Promise((resolve) => {
    const listening = new AbortController();
    const finish = () => {
      listening.abort();
      clearTimeout(late);
      resolve();
    };
    const late = setTimeout(finish, WAIT_MS);
    const { signal } = listening;
    const id = connection.view(figure.index, parts);
    const mine = (/** @type {Event} */ event) => /** @type {CustomEvent} */ (event).detail.id === id;
    connection.addEventListener(
      "columns",
      (event) => {
        const { detail } = /** @type {CustomEvent} */ (event);
        const part = parts.find((p) => p.layer === detail.layer);
        if (mine(event) && part?.columns) lines.get(figure.layers[detail.layer])?.add(detail, part.columns);
      },
      { signal },
    );
    for (const name of ["done", "error"])
      connection.addEventListener(name, (event) => mine(event) && finish(), { signal });
    connection.addEventListener("down", finish, { signal });
  });
}
