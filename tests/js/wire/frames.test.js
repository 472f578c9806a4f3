// Frames: the golden bytes that Python reads too, what must be refused, and random damage.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { messageOf, Reassembler } from "../../../bigviz/static/wire/reassembler.js";
import { cellOf, decodePlane } from "../../../bigviz/static/wire/codec.js";
import { parseFrame, ProtocolError } from "../../../bigviz/static/wire/frames.js";
import { frame, tileBody, TYPE } from "../frames.js";
import { random, whole } from "../random.js";

const GOLDEN = new URL("../../golden/", import.meta.url);
const read = (/** @type {string} */ name) => readFileSync(new URL(name, GOLDEN));
const json = (/** @type {string} */ name) => JSON.parse(read(name).toString());
const files = readdirSync(GOLDEN);
const cases = files
  .filter((name) => files.includes(`${name.slice(0, -4)}.json`) && name.endsWith(".bin"))
  .map((name) => name.slice(0, -4));

/** The frames of a golden file.  @param {string} name @returns {ArrayBuffer[]} */
function frames(name) {
  const bytes = read(`${name}.bin`);
  let at = 0;
  return json(`${name}.json`).frames.map((/** @type {number} */ size) => {
    at += size;
    return Uint8Array.from(bytes.subarray(at - size, at)).buffer;
  });
}

/** @param {string} name */
function parse(name) {
  const reassembler = new Reassembler();
  const messages = frames(name).map((bytes) => reassembler.push(parseFrame(bytes)));
  const last = messages.pop();
  assert.ok(
    messages.every((message) => message === null),
    "only the last part completes the message",
  );
  assert.equal(reassembler.bytes, 0);
  assert.ok(last);
  return last;
}

test("there are golden frames of every type", () => {
  const types = new Set(cases.map((name) => json(`${name}.json`).header.type));
  assert.deepEqual([...types].sort(), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12].sort());
});

for (const name of cases) {
  test(`golden ${name}`, () => {
    const want = json(`${name}.json`);
    const head = parseFrame(frames(name)[0]);
    const { type, flags, layer, request, figure, epoch, part, parts, sequence } = want.header;
    assert.deepEqual(
      [
        TYPE[/** @type {keyof typeof TYPE} */ (head.type)],
        Number(head.estimate),
        head.layer,
        head.id,
        head.figure,
        head.epoch,
        head.part,
        head.parts,
        head.sequence,
      ],
      [type, flags & 1, layer, request, figure, epoch, part, parts, sequence],
    );
    const message = /** @type {any} */ (parse(name));
    if (message.type === "tile") checkTile(message, want);
    else if (message.type === "columns") checkColumns(message, want);
    else if (message.type === "rows") checkRows(message.rows, want);
    else if (message.type === "image") checkImage(message, want);
    else assert.deepEqual(message.json, want.json);
    if (message.type === "tile" || message.type === "columns")
      assert.deepEqual(message.estimate, want.estimate ?? null);
    if (message.type === "hello")
      assert.equal([...message.luts.values()].map((lut) => Buffer.from(lut).toString("hex")).join(""), want.body);
  });
}

/**
 * @param {any} held
 * @param {"x"|"y"} side
 * @param {any} json
 * @param {(number|string)[]} wanted strings where they are int64
 */
function checkPositions(held, side, json, wanted) {
  assert.deepEqual([...held[side]], wanted.map(Number));
  const whole = held[`${side}whole`];
  assert.deepEqual(whole && [...whole], json[`${side}wide`] ? wanted.map(BigInt) : null);
}

/** @param {import("../../../bigviz/static/wire/rows.js").Rows} rows @param {any} want */
function checkRows(rows, { json, rows: wanted }) {
  assert.deepEqual([rows.n, rows.matched, rows.window], [json.n, json.matched, json.window]);
  assert.deepEqual([rows.xorigin, rows.yorigin], [BigInt(json.xorigin), BigInt(json.yorigin)]);
  for (const name of /** @type {const} */ (["row", "number"])) assert.deepEqual([...rows[name]], wanted[name]);
  for (const side of /** @type {const} */ (["x", "y"])) checkPositions(rows, side, json, wanted[side]);
  assert.deepEqual(rows.code && [...rows.code], wanted.code ?? null);
  assert.deepEqual([...rows.value], wanted.value.map(Number));
  assert.deepEqual(rows.exact && [...rows.exact], json.dtype === 8 ? wanted.value.map(BigInt) : null);
}

/** @param {any} message @param {any} want */
function checkImage(message, { json, planes }) {
  const { image } = message;
  assert.deepEqual(
    [image.window, image.width, image.height, image.total],
    [json.window, json.width, json.height, json.planes],
  );
  const tile = {
    zx: 0,
    zy: 0,
    i: 0,
    j: 0,
    queue_us: json.queue_us,
    kernel_us: json.kernel_us,
    encode_us: json.encode_us,
    rows: json.rows,
    bytes: json.bytes,
  };
  checkTile({ key: { zx: 0, zy: 0, i: 0, j: 0 }, cost: message.cost, planes: image.planes }, { tile, planes });
}

/** @param {any} message @param {any} want */
function checkTile(message, want) {
  const { zx, zy, i, j, queue_us, kernel_us, encode_us, rows, bytes } = want.tile;
  assert.deepEqual(message.key, { zx, zy, i, j });
  assert.deepEqual(message.cost, { queue: queue_us, kernel: kernel_us, encode: encode_us, rows, bytes });
  assert.equal(message.planes.length, want.planes.length);
  want.planes.forEach((/** @type {any} */ expected, /** @type {number} */ k) => {
    const encoded = message.planes[k];
    for (const field of ["codec", "dtype", "plane", "filled"]) assert.equal(encoded[field], expected[field], field);
    const plane = decodePlane(encoded, expected.codec !== 4);
    const exact = (/** @type {any} */ value) =>
      typeof value === "string" ? BigInt(value) : expected.dtype === 9 ? Math.fround(value) : value;
    if (expected.low === null) assert.ok(Number.isNaN(plane.low) && Number.isNaN(plane.high));
    else assert.deepEqual([plane.low, plane.high], [expected.low, expected.high]);
    const cells = new Map(expected.cells.map((/** @type {any} */ [cell, value]) => [cell, exact(value)]));
    const rest = expected.rest === null || expected.rest === 0 ? null : exact(expected.rest);
    for (let cell = 0; cell < 65536; cell++) {
      const value = cellOf(plane, cell);
      const wanted = cells.get(cell) ?? rest;
      if (value !== wanted && BigInt(value ?? -1) !== BigInt(/** @type {any} */ (wanted ?? -1)))
        assert.equal(value, wanted, `cell ${cell}`);
    }
  });
}

/** @param {any} message @param {any} want */
function checkColumns(message, want) {
  const { columns, cost } = message;
  const { n, kept = 0, width, xorigin, yorigin, flagged, queue_us, kernel_us, encode_us, rows, bytes } = want.json;
  assert.deepEqual(
    [columns.n, columns.kept, columns.width, columns.xorigin, columns.yorigin, columns.flagged],
    [n, kept, width, BigInt(xorigin), BigInt(yorigin), flagged],
  );
  assert.deepEqual(cost, { queue: queue_us, kernel: kernel_us, encode: encode_us, rows, bytes });
  for (const name of ["column", "run", "row"]) assert.deepEqual([...columns[name]], want.columns[name], name);
  for (const side of /** @type {const} */ (["x", "y"])) checkPositions(columns, side, want.json, want.columns[side]);
}

/** Everything that a connection does with a frame. @param {ArrayBuffer} bytes */
function consume(bytes) {
  const message = messageOf(parseFrame(bytes));
  if (message?.type === "tile") for (const plane of message.planes) decodePlane(plane, plane.codec !== 4);
}

for (const [name, hex] of Object.entries(json("bad.json"))) {
  test(`refused: ${name}`, () => {
    const bytes = Uint8Array.from(Buffer.from(/** @type {string} */ (hex), "hex")).buffer;
    assert.throws(() => consume(bytes), ProtocolError);
  });
}

test("random damage is refused or read, never anything else", () => {
  const rand = random(1);
  const sources = cases.flatMap(frames).filter((bytes) => bytes.byteLength < 5000);
  for (let round = 0; round < 20_000; round++) {
    const source = new Uint8Array(sources[whole(rand, 0, sources.length - 1)]);
    const bytes = source.slice(0, rand() < 0.2 ? whole(rand, 0, source.length) : source.length);
    for (let hits = whole(rand, 1, 4); hits > 0 && bytes.length; hits--)
      bytes[whole(rand, 0, Math.min(bytes.length, 200) - 1)] = whole(rand, 0, 255);
    try {
      consume(bytes.buffer);
    } catch (error) {
      assert.ok(error instanceof ProtocolError, `${error}`);
    }
  }
});

test("a frame beyond 1 MiB is refused", () => {
  assert.throws(() => parseFrame(new ArrayBuffer((1 << 20) + 8)), /at most 1048576/);
});

test("parts must come in order, and of one whole", () => {
  const [first, second] = frames("tile-parts").map(parseFrame);
  assert.throws(() => new Reassembler().push(second), /part 1 of 2, expected 0/);
  const twice = new Reassembler();
  twice.push(first);
  assert.throws(() => twice.push(first), /part 0 of 2, expected 1/);
  const other = new Reassembler();
  other.push(first);
  assert.throws(() => other.push({ ...second, parts: 3 }), /of 3, expected 1 of 2/);
});

test("other messages may stand between the parts", () => {
  const reassembler = new Reassembler();
  const [a0, a1] = frames("tile-parts").map(parseFrame);
  const [b0, b1] = frames("columns-parts").map(parseFrame);
  assert.equal(reassembler.push(a0), null);
  assert.equal(reassembler.push(b0), null);
  assert.equal(reassembler.push(parseFrame(frames("done")[0]))?.type, "done");
  assert.equal(reassembler.push(b1)?.type, "columns");
  assert.equal(reassembler.push(a1)?.type, "tile");
});

test("a plane that comes twice is refused", () => {
  const empty = { codec: 0, dtype: 1, plane: 0, filled: 0, low: Number.NaN, high: Number.NaN };
  const body = tileBody({ zx: 0, zy: 0, i: 0, j: 0 }, [empty, empty]);
  assert.throws(() => messageOf(parseFrame(frame({ type: TYPE.tile, body, planes: 2 }))), /came twice/);
});

test("u64 fields beyond 2^53 are refused rather than rounded", () => {
  const bytes = frame({ type: TYPE.done, json: {} });
  new DataView(bytes).setBigUint64(24, 2n ** 53n, true);
  assert.throws(() => parseFrame(bytes), /beyond 2\^53/);
});
