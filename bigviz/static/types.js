// The document as the server sends it: types that several folders use.

/** Of the mark of a row.  @typedef {"circle"|"square"|"diamond"|"triangle"|"cross"|"x"} Shape */
/** @typedef {"points"|"line"|"histogram"|"bar"} Glyph */
/**
 * @typedef {{id: string, dataset: string, glyph: Glyph, x: string, y: string, agg: string, cmap: string, how: string,
 *   low: number|null, high: number|null, color: string|null, root: string, line_width: number|null, alpha: number,
 *   line_dash: string|number[], size: number|null, marker: Shape, legend_label: string|null, bins?: number,
 *   sort?: string, filter?: string}} LayerSpec
 */
/**
 * @typedef {{kind: "linear"|"log"|"datetime"|"mercator", label: string|null, unit: string|null, zone: string|null,
 *   categories: string[]|null}} AxisSpec
 */
/** A map below the data.  @typedef {{url: string, attribution: string, max_zoom: number}} BasemapSpec */
/** The newest part of x is shown, so long in axis units.  @typedef {{axis: "x", window: number}} FollowSpec */
/**
 * @typedef {{id: string, type: "figure", title: string|null, x_range: string, y_range: string, x_axis: AxisSpec,
 *   y_axis: AxisSpec,
 *   aspect: string|null, width: number|null, height: number|null, layers: LayerSpec[], basemap?: BasemapSpec|null,
 *   follow?: FollowSpec|null, hover?: string[]}} FigureSpec
 */
/** @typedef {{id: string, type: "row"|"column"|"grid"|"tabs", children: Node[], columns?: number|null, titles?:
 *   string[]}} BoxSpec */
/** The place of a control.  @typedef {{type: "control", control: string}} PlaceSpec */
/** @typedef {FigureSpec|BoxSpec|PlaceSpec} Node */
/** null: no value.  @typedef {string|number|boolean|null|(string|number|boolean)[]} ControlValue */
/**
 * A control; its type says which keys it has.
 * @typedef {{type: string, label?: string|null, value?: ControlValue, options?: (ControlValue|{value: ControlValue,
 *   label?: string|null})[]|{dataset: string, column: string}, start?: number|string|null, end?: number|string|null,
 *   step?: number|null, placeholder?: string, figure?: string, columns?: string[]|null, text?: string,
 *   dataset?: string, expression?: string, filter?: string, unit?: string|null}} ControlSpec
 */
/** Figures, by id, that show the rows of each other's brushes, and controls of type number that are of these rows.
 * @typedef {{figures: string[], mode?: "filter"|"highlight", numbers?: string[]}} LinkSpec */
/**
 * @typedef {{format: number, id: string, title: string|null, datasets: string[],
 *   ranges: Record<string, {start: number|string|null, end: number|string|null}>, layout: Node,
 *   controls?: Record<string, ControlSpec>, links?: LinkSpec[]}} DocumentSpec
 */

export {};
