// Canvases are sized for the screen, and their pictures kept while that changes.

/** @param {HTMLCanvasElement} canvas @param {number} width @param {number} height CSS pixels @param {number} dpr */
export function fitCanvas(canvas, width, height, dpr) {
  canvas.width = Math.max(1, Math.round(width * dpr));
  canvas.height = Math.max(1, Math.round(height * dpr));
  canvas.style.width = `${canvas.width / dpr}px`;
  canvas.style.height = `${canvas.height / dpr}px`;
}

/** @param {HTMLCanvasElement} canvas @returns {HTMLCanvasElement} */
export function copyOf(canvas) {
  const copy = document.createElement("canvas");
  copy.width = canvas.width;
  copy.height = canvas.height;
  copy.getContext("2d")?.drawImage(canvas, 0, 0);
  return copy;
}

/**
 * @param {CanvasRenderingContext2D} context of a canvas that is filled with the picture
 * @param {HTMLCanvasElement} picture
 */
export function stretch(context, picture) {
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.drawImage(picture, 0, 0, context.canvas.width, context.canvas.height);
}
