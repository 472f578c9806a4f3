// One figure: its view, its requests to the server, and when it draws. Gestures come in as views; tiles and columns
// come in as messages.

import { find } from "../dom.js";
import { dataRange, denseRange } from "../layers/data-range.js";
import { Drawing } from "./drawing.js";
import { axesOf } from "./view/figure-axes.js";
import { FollowY } from "./view/follow-y.js";
import { Layer } from "../layers/layer.js";
import { LayerAnswers } from "./layer-answers.js";
import { Loading } from "./loading.js";
import { Painter } from "./painter.js";
import { asKind } from "../geometry/shared-range.js";
import { Moves } from "./view/moves.js";
import { Requests } from "./requests.js";
import { Selection } from "./rows/selection.js";
import { Steps } from "./view/steps.js";
import { axisLimits } from "../geometry/home.js";
import { View } from "../geometry/view.js";

/** @typedef {import("../layers/layer.js").Choice} Choice */
/** @typedef {import("../geometry/shared-range.js").SharedRange} SharedRange */
/** @typedef {import("./page.js").Page} Page */

export class Figure extends EventTarget {
  /**
   * Events: `choice` (columns, colours or scale changed), `info` (the server answered about a layer), `rest` (the view
   * was exact or has rested), `exact` (first and every time), `frame` (drawn), `progress` (of work in the server),
   * `data` (other rows than before).
   * @param {{page: Page, index: number, firstLayer: number, spec: import("../types.js").FigureSpec, section:
   *   HTMLElement, x: SharedRange, y: SharedRange}} o `firstLayer`: how many layers the figures before it have
   */
  constructor({ page, index, firstLayer, spec, section, x, y }) {
    super();
    this.page = page;
    this.index = index;
    this.firstLayer = firstLayer;
    this.spec = spec;
    this.section = section;
    this.ranges = { x, y };
    this.surface = find(section, ".surface", HTMLElement);
    this.surface.tabIndex = 0;
    /** The others of its row, whose plots stand in line with its own.  @type {readonly Figure[]} */ this.beside = [];
    const axes = { x: spec.x_axis.kind, y: spec.y_axis.kind };
    this.layers = spec.layers.map(
      (layer, k) =>
        new Layer({ spec: layer, axes, ...page.datasets[layer.dataset], index: k, values: page.values ?? null }),
    );
    /** Behind another tab: it asks for nothing. */ this.isAsleep = false;
    /** Its data have changed meanwhile. */ this.isStale = false;
    /** @type {View|null} */ this.view = null;
    /** Where the figure is linked: what the address says of its brush.
     * @type {{readonly text: string|null, read: (text: string|null) => void}|null} */
    this.brush = null;
    this.axes = axesOf(this.spec, this.main);
    this.requests = new Requests(this);
    this.painter = new Painter(this);
    this.loading = new Loading(section, () => this.painter.scene !== null);
    this.drawing = new Drawing(this);
    this.steps = new Steps(this);
    this.followY = new FollowY(this);
    this.moves = new Moves(this);
    this.selection = new Selection(this);
    /** The rows that the inspector shows, of the view or of a cell. */
    this.inspected = new Selection(this, { described: false });
    this.answers = new LayerAnswers(this.layers);
    /** Answers are awaited about other rows than those that are drawn. */ this.isRenewing = false;
    /** Ranges to show once their columns have come.  @type {import("./view/steps.js").Step|null} */
    this.due = null;
    this.sizing = new ResizeObserver(() => this.resize());
    this.sizing.observe(this.surface);
  }

  /** Ends everything that would go on by itself. */
  dispose() {
    this.sizing.disconnect();
    this.drawing.dispose();
    this.steps.dispose();
    this.requests.hush();
    this.loading.dispose();
    this.selection.dispose();
    this.inspected.dispose();
    this.painter.map?.dispose();
    for (const { raster } of this.layers) raster?.dispose();
  }

  /** Device pixels per CSS pixel. */
  get dpr() {
    return devicePixelRatio || 1;
  }

  /** What the server is asked about: the view, and more where it moves on by itself.  @returns {View|null} */
  get asking() {
    return this.view && (this.moves.ahead ?? this.view);
  }

  get look() {
    return { luts: this.page.luts, palette: this.page.theme.palette };
  }

  /** The layer that the colour bar and the pickers are about. @returns {Layer} */
  get main() {
    return this.layers[0];
  }

  get title() {
    return this.spec.title ?? "";
  }

  // What the layers are.

  /**
   * Asks about every layer whose definition is not the drawn one.
   * @param {boolean} [again] ask about all
   * @param {boolean} [lost] and those whose answers are not complete
   */
  ask(again = false, lost = false) {
    if (this.isAsleep) return;
    for (const layer of this.layers) {
      const definition = layer.define();
      const known = layer.asked ?? layer.definition;
      const more = lost && (layer.asked !== null || layer.info?.index === "building");
      const isOther = JSON.stringify(known) !== JSON.stringify(definition);
      if (!again && !more && !layer.failed && !isOther) continue;
      if (isOther && layer.definition) this.drawing.age();
      layer.asked = definition;
      layer.error = null;
      this.answers.forget(layer);
      this.page.connection.layer(this.index, layer.index, definition);
    }
    if (this.layers.length === 0) this.#bare();
  }

  /** A dataset of the figure has other rows: the picture is not of them, though it stays until theirs is there. */
  renew() {
    if (this.isAsleep) {
      this.isStale = true;
      return;
    }
    this.section.dataset.exact = "0";
    this.isRenewing = true;
    this.requests.forget();
    this.dispatchEvent(new Event("data"));
    this.ask(true);
  }

  /** Its tab has come to the front. */
  wake() {
    if (!this.isAsleep) return;
    this.isAsleep = false;
    this.askAgain(this.isStale);
    this.isStale = false;
  }

  /** Data of the figure have grown, and are here: home may be another, and what is here is drawn. */
  advanced() {
    for (const layer of this.layers) this.#tell(layer);
    this.dispatchEvent(new Event("info"));
    this.drawing.renew();
  }

  /** The ranges learn what a layer spans.  @param {Layer} layer */
  #tell(layer) {
    for (const side of /** @type {const} */ (["x", "y"])) this.#tellSide(layer, side);
  }

  /** @param {Layer} layer @param {"x"|"y"} side */
  #tellSide(layer, side) {
    this.ranges[side].tell(layer, dataRange(layer, side), this.axes[side].exact, denseRange(layer, side));
  }

  /**
   * The connection is up again: nothing that was requested before will be answered.
   * @param {boolean} all ask about all layers
   */
  askAgain(all) {
    this.requests.forget();
    this.ask(all, true);
    this.requests.update();
  }

  /** Axes without layers are a figure too. */
  #bare() {
    this.ranges.x.tell(this, null, false);
    this.ranges.y.tell(this, null, false);
    this.#rebuild();
  }

  /**
   * @param {{layer: number, definition: import("../wire/frames.js").Definition, json:
   *   import("../wire/frames.js").LayerInfo}} answer
   */
  onLayer({ layer: index, definition, json }) {
    const layer = this.layers[index];
    if (!layer || JSON.stringify(definition) !== JSON.stringify(layer.asked ?? layer.definition)) return;
    if (!layer.asked && layer.refine(json)) {
      this.#refined(layer);
      return;
    }
    this.loading.progress(null);
    this.answers.add(layer, json);
    this.#takeAnswers();
  }

  /** The layers become what was answered about them, once all that is asked is. */
  #takeAnswers() {
    const answers = this.answers.take();
    const before = answers.map(([{ definition }]) => definition);
    for (const [layer, info] of answers)
      layer.become(info, { cache: this.page.cache, limits: this.page.connection.limits }, this.look);
    for (const [k, [layer]] of answers.entries()) this.#became(layer, before[k]);
    this.dispatchEvent(new Event("info"));
    this.#rebuild();
  }

  /** Axes and ranges are those of a layer now.  @param {Layer} layer @param {Layer["definition"]} before */
  #became(layer, before) {
    const { definition } = layer;
    this.axes = axesOf(this.spec, this.main);
    for (const side of /** @type {const} */ (["x", "y"])) {
      const axis = side === "x" ? "xaxis" : "yaxis";
      const replaced =
        before !== null &&
        definition !== null &&
        (before[side] !== definition[side] || before[axis] !== definition[axis] || before.root !== definition.root);
      if (replaced) this.ranges[side].renew(this.#isPublishedOn(side));
      if (side === "y" && this.due === null && before !== null && (replaced || before.glyph !== definition?.glyph))
        this.followY.isWanted = true;
      this.#tellSide(layer, side);
    }
  }

  /**
   * More is known of a layer whose tiles are still good: they stay in use, and home may be a little larger.
   * @param {Layer} layer
   */
  #refined(layer) {
    this.#tell(layer);
    this.requests.learned();
    this.dispatchEvent(new Event("info"));
    this.redraw();
  }

  /**
   * @param {{id: number, layer: number, definition: import("../wire/frames.js").Definition|null, json:
   *   import("../wire/reassembler.js").ProgressMessage["json"]}} answer
   */
  onProgress({ id, layer: index, definition, json }) {
    const layer = this.layers[index];
    if (layer?.info && !layer.asked && JSON.stringify(definition) === JSON.stringify(layer.definition)) {
      if (layer.info.index === "none") this.requests.progress(id, layer, json);
      else layer.progress = json;
    } else this.loading.progress(json);
    this.dispatchEvent(new Event("progress"));
  }

  /**
   * @param {{layer: number, definition: import("../wire/frames.js").Definition, json: {error: string,
   *   field?: string|null, at?: number|null}}} answer an error about a layer
   */
  onLayerError({ layer: index, definition, json }) {
    const layer = this.layers[index];
    if (
      layer &&
      !layer.asked &&
      layer.info?.index === "building" &&
      JSON.stringify(definition) === JSON.stringify(layer.definition)
    ) {
      layer.asked = layer.definition;
      layer.definition = null;
    }
    if (!layer?.asked || JSON.stringify(definition) !== JSON.stringify(layer.asked)) return;
    this.answers.forget(layer);
    layer.asked = null;
    layer.error = layer.definition ? null : json.error;
    this.dispatchEvent(new CustomEvent("refused", { detail: { layer, definition, ...json } }));
    this.loading.progress(null);
    if (layer.definition) layer.choice = { ...layer.choice, ...layer.drawn };
    else layer.retract(json.field);
    this.due = null;
    this.steps.refused();
    this.dispatchEvent(new Event("choice"));
    if (!layer.definition && JSON.stringify(layer.define()) !== JSON.stringify(definition)) this.ask();
    else if (this.layers.every((l) => l.failed)) this.loading.fail(json.error);
    this.#takeAnswers();
  }

  /** A new view over the shared ranges, once every layer is known or has failed. */
  #rebuild() {
    if (this.layers.some((layer) => layer.asked !== null)) return;
    this.isRenewing = false;
    const drawn = this.layers.filter((layer) => layer.info !== null);
    const { x, y } = this.ranges;
    if ((drawn.length === 0 && this.layers.length > 0) || x.now === null || y.now === null) return;
    if (this.due && this.due.window !== null) x.follow(this.due.window, this, 0);
    else if (this.due?.x) x.set(this.due.x, this, 0);
    if (this.due?.y) y.set(this.due.y, this, 0);
    this.due = null;
    const roots = drawn.map((layer) => /** @type {NonNullable<Layer["roots"]>} */ (layer.roots));
    const limits =
      drawn.length === 0
        ? null
        : {
            x: axisLimits(
              roots.map((r) => r.x),
              { exact: this.axes.x.exact },
            ),
            y: axisLimits(
              roots.map((r) => r.y),
              { exact: this.axes.y.exact },
            ),
          };
    this.drawing.hold = true;
    this.painter.measure();
    const { width, height } = this.painter.deviceSize;
    const locked =
      this.main?.definition?.xaxis === "mercator" || (this.spec.aspect === "locked" && this.#isPublished());
    this.view = new View({
      x: asKind(x.now, this.axes.x.exact),
      y: asKind(y.now, this.axes.y.exact),
      width,
      height,
      limits,
      locked,
    }).lock();
    this.moves.lookAhead();
    this.steps.built();
    this.requests.forget();
    this.drawing.renew();
  }

  /** The axes are those that the document was made for, not others that a viewer picked. */
  #isPublished() {
    return this.#isPublishedOn("x") && this.#isPublishedOn("y");
  }

  /** @param {"x"|"y"} side @returns {boolean} */
  #isPublishedOn(side) {
    const { main, spec } = this;
    const drawn = main?.definition;
    if (!drawn) return true;
    const kind = side === "x" ? drawn.xaxis : drawn.yaxis;
    return drawn[side] === main.first[side] && kind === spec[`${side}_axis`].kind;
  }

  // What is chosen.

  /** New columns, colours or scale for a layer.  @param {number} index @param {Partial<Choice>} change */
  choose(index, change) {
    this.chooseEach((layer) => (layer.index === index ? change : {}));
  }

  /** New columns, colours or scale for all layers, as one step.  @param {(layer: Layer) => Partial<Choice>} change */
  chooseEach(change) {
    const changes = this.layers.map(change);
    this.steps.before([...new Set(changes.flatMap(Object.keys))].join());
    this.due = null;
    this.takeChoices((layer) => ({ ...layer.choice, ...changes[layer.index] }));
    this.steps.after();
  }

  /** @param {(layer: Layer) => Choice} choice */
  takeChoices(choice) {
    delete this.section.dataset.taking;
    this.requests.hush();
    for (const layer of this.layers) {
      layer.choice = choice(layer);
      layer.restyle(this.look);
    }
    this.ask();
    this.dispatchEvent(new Event("choice"));
    this.redraw();
  }

  /** Controls have other values. */
  takeValues() {
    const changed = this.layers.filter((layer) => layer.takeValues());
    if (changed.length === 0) return;
    this.section.dataset.taking = "1";
    this.requests.hush();
    for (const layer of changed) layer.restyle(this.look);
    this.ask();
    this.dispatchEvent(new Event("choice"));
    this.redraw();
  }

  /**
   * The document says something else of layers now.
   * @param {Record<string, Partial<import("../types.js").LayerSpec>>} changes by the ids of layers
   */
  republish(changes) {
    const layers = this.layers.filter(({ spec }) => spec.id in changes);
    if (layers.length === 0) return;
    for (const layer of layers) layer.republish(changes[layer.spec.id]);
    this.due = null;
    this.takeChoices((layer) => layer.choice);
  }

  /** The picture is of what was chosen last, if only an estimate. */
  get hasTaken() {
    return !this.hold && this.layers.every((layer) => layer.asked === null);
  }

  /** Colours of the page changed. */
  restyle() {
    for (const layer of this.layers) layer.restyle(this.look);
    this.redraw();
  }

  // Drawing.

  /** The view is drawn, exactly. */
  get exact() {
    return this.drawing.exact;
  }

  /** The drawn picture is still that of other columns, or there is none. */
  get hold() {
    return this.drawing.hold;
  }

  /** Something arrived for this figure. */
  arrived() {
    this.drawing.arrived();
  }

  /** A step of a brush came for it. */
  stepped() {
    this.drawing.stepped();
  }

  /** Draws with the next animation frame. */
  redraw() {
    this.drawing.redraw();
  }

  /**
   * The surface may have another size: draws at once where it has, since a resized canvas is blank.
   * @returns {boolean} it had
   */
  resize() {
    if (!this.painter.measure() || !this.view) return false;
    this.#fill();
    this.moves.lookAhead();
    this.drawing.renew();
    this.drawing.frame();
    return true;
  }

  /** The view is as large as the plot. A locked one shows its ranges, not what it had to show more of them before. */
  #fill() {
    const { view, axes, ranges } = this;
    const { x, y } = ranges;
    if (!view) return;
    const { width, height } = this.painter.deviceSize;
    const resized = view.resize(width, height);
    this.view =
      x.now === null || y.now === null
        ? resized
        : resized.show({ x: asKind(x.now, axes.x.exact), y: asKind(y.now, axes.y.exact) });
  }
}
