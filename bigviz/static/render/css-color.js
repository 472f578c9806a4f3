// CSS colours as pixels.

/** @type {CanvasRenderingContext2D|OffscreenCanvasRenderingContext2D|null} */
let parser = null;

/**
 * @param {string} color any that CSS knows
 * @returns {number} its alpha, 0 to 1
 */
export function opacityOf(color) {
  return /^#[0-9a-f]{6}$/i.test(color) ? 1 : (parsed(color)?.[3] ?? 255) / 255;
}

/**
 * @param {string} color any that CSS knows; its alpha is ignored
 * @returns {number} 0xBBGGRR; black where it is none
 */
export function pixelOf(color) {
  const hex = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i.exec(color);
  if (hex)
    return (Number.parseInt(hex[3], 16) << 16) | (Number.parseInt(hex[2], 16) << 8) | Number.parseInt(hex[1], 16);
  const [r, g, b] = parsed(color) ?? [0, 0, 0];
  return (b << 16) | (g << 8) | r;
}

/** @param {string} color @returns {Uint8ClampedArray|null} r, g, b, a; null without a canvas to parse it */
function parsed(color) {
  parser ??= new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  if (!parser) return null;
  parser.clearRect(0, 0, 1, 1);
  parser.fillStyle = "#000";
  parser.fillStyle = color;
  parser.fillRect(0, 0, 1, 1);
  return parser.getImageData(0, 0, 1, 1).data;
}
