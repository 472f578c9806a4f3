// CSS colours as pixels.

/** @type {CanvasRenderingContext2D|OffscreenCanvasRenderingContext2D|null} */
let parser = null;

/**
 * @param {string} color any that CSS knows; its alpha is ignored
 * @returns {number} 0xBBGGRR; black where it is none
 */
export function pixelOf(color) {
  const hex = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i.exec(color);
  if (hex)
    return (Number.parseInt(hex[3], 16) << 16) | (Number.parseInt(hex[2], 16) << 8) | Number.parseInt(hex[1], 16);
  parser ??= new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  if (!parser) return 0;
  parser.clearRect(0, 0, 1, 1);
  parser.fillStyle = "#000";
  parser.fillStyle = color;
  parser.fillRect(0, 0, 1, 1);
  const [r, g, b] = parser.getImageData(0, 0, 1, 1).data;
  return (b << 16) | (g << 8) | r;
}
