// Answers about the layers of a figure are taken once all that is asked is answered: no picture is of some layers as
// they were and of others as they will be.

/** @typedef {import("../layers/layer.js").Layer} Layer */
/** @typedef {import("../wire/frames.js").LayerInfo} LayerInfo */

export class LayerAnswers {
  /** @param {readonly Pick<Layer, "asked">[]} layers of the figure */
  constructor(layers) {
    this.layers = layers;
    /** Those that wait for others.  @type {Map<Pick<Layer, "asked">, LayerInfo>} */ this.waiting = new Map();
  }

  /** Drops what was answered about a layer: it is asked about again, or has failed.  @param {Layer} layer */
  forget(layer) {
    this.waiting.delete(layer);
  }

  /** An answer came; it takes the place of an earlier one.  @param {Layer} layer @param {LayerInfo} info */
  add(layer, info) {
    this.waiting.set(layer, info);
  }

  /**
   * The answers to be taken now, in the order of the layers.
   * @returns {[Layer, LayerInfo][]} none while some layer is not answered
   */
  take() {
    const { layers, waiting } = this;
    if (layers.some((layer) => layer.asked !== null && !waiting.has(layer))) return [];
    const found = layers.flatMap((layer) => {
      const info = waiting.get(layer);
      return info ? [/** @type {[Layer, LayerInfo]} */ ([layer, info])] : [];
    });
    waiting.clear();
    return found;
  }
}
