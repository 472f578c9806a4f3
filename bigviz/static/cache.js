// Decoded tiles of all layers under one budget of bytes.
export class TileCache {
  /** @param {number} [budget] bytes */
  constructor(budget = 256 * 2 ** 20) { this.budget = budget; this.bytes = 0; }
  /** Forgets the tiles of layers on a dataset (a new version).  @param {string} dataset */
  forget(dataset) { void dataset; }
}
