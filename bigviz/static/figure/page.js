// What all figures of a page share.

/**
 * Messages for the user: a note that passes, an error that stays, a line for screen readers (where several are `about`
 * one thing, only the newest is said).
 * @typedef {{note: (words: string) => void, error: (words: string) => void,
 *   say: (words: string, about?: string) => void}} Notices
 */
/**
 * `offline`: the page is an exported file, and holds all that there is to be shown.
 * @typedef {{title: string, connection: import("../wire/connection.js").Connection, embedded: boolean, cache:
 *   import("../layers/tiles/tile-cache.js").TileCache, latency: import("./latency.js").Latency,
 * theme: import("../render/theme.js").Theme, notices: Notices, streams: import("./growth/streams.js").Streams,
 * datasets: Record<string, {rows: number, version: number,
 * columns: import("../layers/layer.js").Column[], notes: string[]}>,
 * values?: import("./values/control-values.js").ControlValues,
 * offline?: boolean} & import("../render/colormaps.js").Maps} Page
 */

export {};
