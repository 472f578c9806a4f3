// Values to colours.
/** @typedef {{how: string, low: number, high: number, cells: number, fraction: (value: number) => number, value: (fraction: number) => number}} Norm
 *  low, high: the ends of the colour bar as values; cells: visible non-empty pixels; fraction: value -> 0..1; value: its inverse (for ticks of the colour bar) */
export {};
