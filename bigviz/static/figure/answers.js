// The server's answers, handed to the figures that they are for. Answers about what is no longer drawn are dropped.

import { ProtocolError } from "../wire/frames.js";

/** @typedef {import("./figure.js").Figure} Figure */
/** @typedef {import("./page.js").Page} Page */
/** @typedef {import("../layers/layer.js").Layer} Layer */
/** @typedef {import("../wire/connection.js").Answer<any>} Answer */

/**
 * @param {Page} page @param {readonly Figure[]} figures in the order of the document
 * @param {AbortSignal} signal ends it
 */
export function deliverAnswers(page, figures, signal) {
  /** @param {string} name @param {(answer: Answer, figure: Figure) => void} handler */
  const on = (name, handler) => {
    page.connection.addEventListener(
      name,
      (event) => {
        const { detail } = /** @type {CustomEvent<Answer>} */ (event);
        const figure = figures[detail.figure];
        if (figure) handler(detail, figure);
      },
      { signal },
    );
  };

  on("layer", (answer, figure) => figure.onLayer(answer));
  on("progress", (answer, figure) => {
    if (answer.current) figure.onProgress(answer);
  });
  on("tile", (answer, figure) => {
    const { raster } = drawnBy(answer, figure) ?? {};
    if (!raster) return;
    decoded(page, answer, figure, () => {
      const took = raster.add(answer);
      if (!answer.estimate) figure.requests.gotTile(answer.id, answer.layer, answer.key);
      return took;
    });
  });
  on("columns", (answer, figure) => {
    const asked = figure.requests.gotColumns(answer.id, answer.layer, answer.estimate === null);
    const { line } = drawnBy(answer, figure) ?? {};
    if (asked && line) decoded(page, answer, figure, () => line.add(answer, asked));
  });
  for (const kind of ["rows", "image"]) {
    on(kind, (answer, figure) => {
      const known = figure.requests.gotWindow(answer.id, answer.layer);
      const { raster } = drawnBy(answer, figure) ?? {};
      if (known && raster)
        decoded(page, answer, figure, () =>
          kind === "rows" ? raster.addRows(answer.rows) : raster.addImage(answer.image),
        );
    });
  }
  on("done", (answer, figure) => figure.requests.done(answer.id));
  on("error", (answer, figure) => {
    if (!answer.current || answer.json.app) return;
    figure.requests.failed(answer.id);
    if (answer.definition) figure.onLayerError({ ...answer, definition: answer.definition });
  });
}

/**
 * @param {Answer} answer
 * @param {Figure} figure
 * @returns {Layer|null} the layer that still is what the answer is about
 */
function drawnBy({ layer: index, definition }, figure) {
  const layer = figure.layers[index];
  return layer?.definition && JSON.stringify(layer.definition) === JSON.stringify(definition) ? layer : null;
}

/**
 * Decodes what came, notes what that took, and has it drawn; what does not decode breaks the connection.
 * @param {Page} page @param {Answer} answer @param {Figure} figure @param {() => number} decode gives milliseconds
 */
function decoded({ latency, connection }, answer, figure, decode) {
  const { cost, sent, arrived } = answer;
  try {
    latency.arrived(answer.figure, { cost, sent, arrived, decode: decode() });
    figure.arrived();
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    connection.broken(error);
  }
}
