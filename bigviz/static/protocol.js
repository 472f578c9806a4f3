// The wire protocol of docs/protocol.md, without sockets: bytes in, messages out.

/** What a layer is, as the server wants it.
 * @typedef {{dataset: string, glyph: string, x: string, y: string, agg: string, xaxis: string, yaxis: string, root: string}} Definition */
/** @typedef {{column: string, kind: string, zone: string|null, categories: string[]|null}} ColumnFacts */
/** The answer to a `layer` request.
 * @typedef {{extent: (number|string)[], range: (number|string)[]|null, root: {x: [string, number], y: [string, number]}, rows: number,
 *   rows_outside: number, rows_far: number, version: number, index: string, reduction: string, planes: string[]|null, x: ColumnFacts, y: ColumnFacts,
 *   sorted: boolean}} LayerInfo */
/** Levels and place of a tile; j counts from the top.  @typedef {Readonly<{zx: number, zy: number, i: number, j: number}>} TileKey */
/** What an answer cost the server, in microseconds, rows and bytes.
 * @typedef {{queue: number, kernel: number, encode: number, rows: number, bytes: number}} Cost */
/** One encoded plane. `low` and `high` are NaN when nothing is filled; `payload` is a view of the frame.
 * @typedef {{codec: number, dtype: number, plane: number, filled: number, low: number, high: number, constant: Uint8Array, payload: Uint8Array}} EncodedPlane */
/** @typedef {{type: "hello", id: number, epoch: number, json: Hello, luts: Map<string, Uint8Array>}} HelloMessage  luts: 768 bytes RGB each */
/** @typedef {{protocol: number, server: string, document: any, datasets: Record<string, {rows: number, version: number, columns: {name: string, kind: string,
 *   type: string, zone: string|null, plottable: boolean}[]}>, cmaps: string[]}} Hello */
/** @typedef {{type: "layer", id: number, figure: number, layer: number, json: LayerInfo}} LayerMessage */
/** @typedef {{type: "progress", id: number, figure: number, layer: number, json: {stage: string, done: number, rows: number, seconds: number}}} ProgressMessage */
/** @typedef {{type: "tile", id: number, figure: number, layer: number, estimate: boolean, key: TileKey, planes: EncodedPlane[], total: number, cost: Cost}} TileMessage */
/** @typedef {{n: number, width: number, xorigin: bigint, yorigin: bigint, flagged: number[], column: Int32Array, run: Int32Array, row: Float64Array,
 *   x: Float64Array, y: Float64Array}} Columns */
/** @typedef {{type: "columns", id: number, figure: number, layer: number, columns: Columns, cost: Cost}} ColumnsMessage */
/** @typedef {{type: "done", id: number, figure: number, layer: number, json: {tiles: number, queue_us: number, kernel_us: number, encode_us: number, rows: number, bytes: number}}} DoneMessage */
/** @typedef {{type: "error", id: number, figure: number, layer: number, json: {error: string, field: string|null, got: unknown}}} ErrorMessage */
/** @typedef {{type: "changed", id: number, json: {dataset: string, version: number}}} ChangedMessage */
/** @typedef {HelloMessage|LayerMessage|ProgressMessage|TileMessage|ColumnsMessage|DoneMessage|ErrorMessage|ChangedMessage} Message */
