// A layer as a brush in another figure shows it: of the rows in the brush alone.

import { BarLayer } from "./lines/bar-layer.js";
import { isBars } from "./glyphs.js";
import { lineStyle, rasterStyle } from "./layer-style.js";
import { LineLayer } from "./lines/line-layer.js";
import { RasterLayer } from "./raster-layer.js";
import { TileCache } from "./tiles/tile-cache.js";

/** @typedef {import("../wire/brush-group.js").BrushPart} BrushPart */
/** What is shown otherwise.
 * @typedef {{definition: import("../wire/frames.js").Definition|null, info: import("../wire/frames.js").LayerInfo|null,
 *   line: LineLayer|null} & import("./layer-style.js").Styled} Whole */

const SIDE = 256;
const BUDGET = 64 * 2 ** 20;

export class BrushedLayer {
  /** @param {Whole} layer that is known @param {import("../wire/reassembler.js").Limits} limits @param {any} look */
  constructor(layer, limits, look) {
    const { definition, info } = layer;
    if (!definition || !info) throw new Error("a brush on a layer that is not known");
    this.layer = layer;
    this.seq = 0;
    /** All rows are drawn below, dimmed. */ this.isOver = false;
    /** It stays while its layer becomes one of other rows in the same place: the next step is of these. */
    this.stays = false;
    /** Of all rows, those that it is an estimate from. */ this.share = 1;
    /** @type {RasterLayer|null} */ this.raster = null;
    /** @type {LineLayer|null} */ this.line = null;
    if (definition.glyph === "points") {
      const style = { ...rasterStyle(layer, look) };
      this.raster = new RasterLayer({ cache: new TileCache(BUDGET), definition, info, limits, style });
    } else {
      const style = lineStyle(layer, look);
      this.line = new (isBars(definition.glyph) ? BarLayer : LineLayer)({ definition, info, limits, style });
    }
  }

  /** It stands in the place of all rows. */
  get stands() {
    return !this.isOver;
  }

  /**
   * Another step.
   * @param {BrushPart} part @param {{isOver: boolean, seq: number, stays?: boolean, share?: number}} step
   */
  take(part, { isOver, seq, stays = false, share = 1 }) {
    this.share = share;
    this.seq = seq;
    this.isOver = isOver;
    this.stays = stays;
    if (part.type === "columns" && this.line) {
      this.line.columns = part.columns;
      this.line.asked = this.layer.line?.asked ?? this.line.asked;
    }
    if (part.type === "image" && part.image.view && this.raster) this.#tiles(part.image, part.image.view);
  }

  /**
   * The blocks of an image are tiles.
   * @param {import("../wire/images.js").Image} image @param {number[]} view
   */
  #tiles({ planes, width, total }, [zx, zy, left, top]) {
    const across = Math.ceil(width / SIDE);
    this.raster?.tiles.outdate();
    for (let block = 0; block < planes.length / total; block++) {
      const [i, j] = [left / SIDE + (block % across), top / SIDE + Math.floor(block / across)];
      const part = planes.slice(block * total, (block + 1) * total);
      this.raster?.tiles.add({ key: { zx, zy, i, j }, planes: part, total, estimate: null });
    }
  }

  /** What the picture is an estimate of; null where it is none.  @returns {import("./estimate.js").Summary|null} */
  get estimate() {
    return this.share < 1 ? { share: this.share, start: false, error: null, relative: null } : null;
  }

  /** Its layer is one of other rows.  @param {import("../wire/frames.js").LayerInfo} info */
  inform(info) {
    if (this.raster) this.raster.info = info;
    if (this.line) this.line.info = info;
  }

  /** @param {Whole} layer @param {any} look */
  restyle(layer, look) {
    this.raster?.restyle(rasterStyle(layer, look));
    this.line?.restyle(lineStyle(layer, look));
  }
}
