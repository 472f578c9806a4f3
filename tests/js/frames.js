// Builds frames byte by byte after docs/protocol.md, independently of the parser under test.

export const TYPE = {
  hello: 1,
  layer: 2,
  progress: 3,
  tile: 4,
  columns: 5,
  done: 6,
  error: 7,
  changed: 8,
  rows: 9,
  image: 10,
  update: 11,
  session: 12,
};

/**
 * @param {{type: number, json?: unknown, body?: Uint8Array, id?: number, figure?: number, layer?: number, planes?:
 * number, epoch?: number, part?: number,
 *   parts?: number, sequence?: number, flags?: number}} o @returns {ArrayBuffer} */
export function frame({
  type,
  json,
  body = new Uint8Array(0),
  id = 0,
  figure = 0,
  layer = 0,
  planes = 0,
  epoch = 7,
  part = 0,
  parts = 1,
  sequence = 1,
  flags = 0,
}) {
  const text = json === undefined ? new Uint8Array(0) : new TextEncoder().encode(JSON.stringify(json));
  const padded = new Uint8Array(Math.ceil(text.length / 8) * 8).fill(32);
  padded.set(text);
  const out = new Uint8Array(40 + padded.length + body.length);
  const view = new DataView(out.buffer);
  out.set([66, 86, 90, 49, type, flags]);
  view.setUint16(6, layer, true);
  view.setUint32(8, id, true);
  view.setUint16(12, figure, true);
  view.setUint16(14, planes, true);
  view.setUint32(16, epoch, true);
  view.setUint16(20, part, true);
  view.setUint16(22, parts, true);
  view.setBigUint64(24, BigInt(sequence), true);
  view.setUint32(32, padded.length, true);
  view.setUint32(36, body.length, true);
  out.set(padded, 40);
  out.set(body, 40 + padded.length);
  return out.buffer;
}

/**
 * The body of a tile.
 * @param {{zx: number, zy: number, i: number, j: number}} key
 * @param {{codec: number, dtype: number, plane: number, filled: number, low: number, high: number, constant?:
 *   Uint8Array, payload?: Uint8Array}[]} planes
 * @param {number} [total] @returns {Uint8Array}
 */
export function tileBody(key, planes, total = planes.length) {
  let size = 40 + 40 * planes.length;
  const offsets = planes.map(({ payload }) => {
    if (!payload?.length) return 0;
    const at = size;
    size = Math.ceil((size + payload.length) / 8) * 8;
    return at;
  });
  const out = new Uint8Array(size);
  const view = new DataView(out.buffer);
  out.set([key.zx, key.zy]);
  view.setUint16(2, total, true);
  view.setUint32(4, key.i, true);
  view.setUint32(8, key.j, true);
  view.setUint32(12, 11, true);
  view.setUint32(16, 22, true);
  view.setUint32(20, 33, true);
  view.setBigUint64(24, 44n, true);
  view.setBigUint64(32, 55n, true);
  planes.forEach((plane, k) => {
    const at = 40 + 40 * k;
    out.set([plane.codec, plane.dtype], at);
    view.setUint16(at + 2, plane.plane, true);
    view.setUint32(at + 4, plane.filled, true);
    view.setUint32(at + 8, offsets[k], true);
    view.setUint32(at + 12, plane.payload?.length ?? 0, true);
    view.setFloat64(at + 16, plane.low, true);
    view.setFloat64(at + 24, plane.high, true);
    if (plane.constant) out.set(plane.constant, at + 32);
    if (plane.payload) out.set(plane.payload, offsets[k]);
  });
  return out;
}

/** @param {bigint} value @returns {number[]} LEB128 */
export function leb(value) {
  const out = [];
  for (let rest = value; ; rest >>= 7n) {
    if (rest < 128n) return [...out, Number(rest)];
    out.push(Number(rest & 127n) | 128);
  }
}

/** A plane of counts as rlev, the slow way.  @param {ArrayLike<number|bigint>} counts @returns {Uint8Array} */
export function rlev(counts) {
  const out = [];
  let run = 0;
  for (const count of Array.from(counts, BigInt)) {
    if (count === 0n) {
      run++;
      continue;
    }
    if (run) out.push(0, ...leb(BigInt(run)));
    run = 0;
    out.push(...leb(count));
  }
  return Uint8Array.from(out);
}

/**
 * A plane of values as runs, the slow way.
 * @param {(number|bigint|null)[]} cells null is empty
 * @param {new (values: any) => ArrayBufferView} make typed array of the dtype
 * @returns {Uint8Array}
 */
export function runs(cells, make) {
  const pairs = [];
  const values = [];
  let [empty, filled] = [0, 0];
  for (const cell of [...cells, null]) {
    if (cell !== null) {
      filled++;
      values.push(cell);
      continue;
    }
    if (filled) {
      pairs.push(empty, filled);
      [empty, filled] = [0, 0];
    }
    empty++;
  }
  const head = new Uint8Array(Uint32Array.from([pairs.length / 2, values.length, ...pairs]).buffer);
  const array = new make(values);
  const out = new Uint8Array(head.length + array.byteLength);
  out.set(head);
  out.set(new Uint8Array(array.buffer, array.byteOffset, array.byteLength), head.length);
  return out;
}
