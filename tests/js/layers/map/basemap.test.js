// The map below a figure over pictures made for tests: which tiles are asked for and where they lie, what stands in,
// what is given up, and hosts that let no page read their tiles.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Basemap } from "../../../../bigviz/static/layers/map/basemap.js";
import { addressOf, MapImages } from "../../../../bigviz/static/layers/map/map-images.js";
import { span } from "../../../../bigviz/static/geometry/span.js";
import { View } from "../../../../bigviz/static/geometry/view.js";
import { createCanvas } from "../../canvas.js";

const SPEC = { url: "https://t.example/{z}/{x}/{y}", attribution: "©", max_zoom: 5 };

/** Pictures of one colour, by address, each answered when a test says so. */
class Host {
  constructor() {
    /** @type {{src: string, crossOrigin: string|null, answer: (isThere: boolean) => void, isGone: boolean}[]} */
    this.asked = [];
    this.clock = 0;
    this.changes = 0;
  }

  create() {
    const host = this;
    let answer = (/** @type {boolean} */ _) => {};
    /** @type {Promise<void>} */
    const decoded = new Promise((resolve, reject) => {
      answer = (isThere) => (isThere ? resolve() : reject(new Error("no picture")));
    });
    const asked = { src: "", crossOrigin: /** @type {string|null} */ (null), answer, isGone: false };
    const image = {
      ...createCanvas(256, 256),
      decode: () => decoded,
      removeAttribute: () => {
        asked.isGone = true;
        answer(false);
      },
    };
    return new Proxy(image, {
      set(target, name, value) {
        if (name === "crossOrigin") asked.crossOrigin = value;
        if (name === "src") {
          asked.src = value;
          host.asked.push(asked);
          target.pixels.fill(colour(value));
        }
        return Reflect.set(target, name, value);
      },
    });
  }

  /** Answers what was asked for and not given up, until nothing more is.  @param {(src: string) => boolean} isThere */
  async answer(isThere = () => true) {
    for (let k = 0; k < this.asked.length; k++) {
      this.asked[k].answer(isThere(this.asked[k].src));
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  images(spec = SPEC) {
    return new MapImages(spec, {
      changed: () => this.changes++,
      create: () => /** @type {any} */ (this.create()),
      now: () => this.clock,
    });
  }
}

/** @param {string} address @returns {number} an opaque pixel */
function colour(address) {
  const [z, x, y] = address.split("/").slice(-3).map(Number);
  return (0xff000000 | (z << 16) | (x << 8) | y) >>> 0;
}

/**
 * A view of size pixels from a pixel of level z.
 * @param {number} z @param {number} x @param {number} y @param {number} size
 */
function viewOf(z, x, y, size) {
  const world = 256 * 2 ** z;
  const top = 1 - y / world;
  return new View({
    x: span(x / world, (x + size) / world),
    y: span(top - size / world, top),
    width: size,
    height: size,
    locked: true,
  });
}

/** @param {any} canvas @param {number} x @param {number} y */
const at = (canvas, x, y) => canvas.pixels[y * canvas.width + x];

test("addresses", () => {
  const key = { z: 3, i: 5, j: 6 };
  assert.equal(addressOf("https://{s}.t/{z}/{y}/{x}{r}.png?{z", key, 1), "https://c.t/3/6/5.png?{z");
  assert.equal(addressOf("https://t/{z}/{x}/{y}{r}.png", key, 1.5), "https://t/3/5/6@2x.png");
  const hosts = [0, 1, 2, 3].map((i) => addressOf("{s}", { z: 2, i, j: 0 }, 1));
  assert.deepEqual(hosts, ["a", "b", "c", "a"]);
});

test("tiles of the nearest level lie where they belong, the middle first", async () => {
  const host = new Host();
  const basemap = new Basemap(SPEC, { changed: () => {}, images: host.images() });
  const [canvas, view] = [createCanvas(512, 512), viewOf(4, 3 * 256 + 64, 5 * 256 + 192, 512)];
  assert.equal(basemap.draw(canvas.getContext(), view, 1), false);
  assert.equal(host.asked.length, 8, "not all at once");
  assert.equal(host.asked[0].src, "https://t.example/4/4/6");
  await host.answer();
  assert.equal(host.asked.length, 9);
  assert.equal(basemap.draw(canvas.getContext(), view, 1), true);
  for (const [x, y, i, j] of [
    [0, 0, 3, 5],
    [191, 63, 3, 5],
    [192, 64, 4, 6],
    [447, 319, 4, 6],
    [448, 320, 5, 7],
  ])
    assert.equal(at(canvas, x, y), colour(`4/${i}/${j}`), `${x}, ${y}`);
  assert.ok(host.asked.every(({ crossOrigin }) => crossOrigin === "anonymous"));
});

test("the level is that of CSS pixels, and the host's deepest at most", () => {
  const basemap = new Basemap(SPEC, { changed: () => {}, images: new Host().images() });
  assert.equal(basemap.level(viewOf(4, 0, 0, 512), 1), 4);
  assert.equal(basemap.level(viewOf(4, 0, 0, 512), 2), 3);
  assert.equal(basemap.level(viewOf(9, 0, 0, 512), 1), 5);
  assert.equal(basemap.level(viewOf(0, 0, 0, 64), 2), 0);
});

test("outside of the world nothing is asked for", () => {
  const host = new Host();
  const basemap = new Basemap(SPEC, { changed: () => {}, images: host.images() });
  assert.equal(basemap.draw(createCanvas(64, 64).getContext(), viewOf(2, -100, 0, 64), 1), true);
  assert.equal(host.asked.length, 0);
});

test("tiles above and below stand in for those that are not there", async () => {
  const host = new Host();
  const basemap = new Basemap(SPEC, { changed: () => {}, images: host.images() });
  const canvas = createCanvas(256, 256);
  const draw = (/** @type {View} */ view) => basemap.draw(canvas.getContext(), view, 1);
  draw(viewOf(2, 256, 256, 256));
  await host.answer();
  draw(viewOf(4, 5 * 256, 5 * 256, 256));
  assert.equal(at(canvas, 100, 100), colour("2/1/1"));
  await host.answer();
  draw(viewOf(3, 2 * 256, 2 * 256, 256));
  assert.equal(at(canvas, 255, 255), colour("4/5/5"), "where one below is there");
  assert.equal(at(canvas, 0, 0), colour("2/1/1"));
});

test("what is no longer wanted is given up, and what failed is asked for again later", async () => {
  const host = new Host();
  const images = host.images();
  images.want(
    [
      { z: 1, i: 0, j: 0 },
      { z: 1, i: 1, j: 0 },
    ],
    1,
  );
  images.want([{ z: 1, i: 1, j: 0 }], 1);
  assert.deepEqual(
    host.asked.map(({ isGone }) => isGone),
    [true, false],
  );
  await host.answer(() => false);
  assert.deepEqual(
    host.asked.slice(2).map(({ src, crossOrigin }) => [src, crossOrigin]),
    [["https://t.example/1/1/0", null]],
    "tried without being readable",
  );
  assert.equal(images.isSettled({ z: 1, i: 1, j: 0 }, 1), true);
  images.want([{ z: 1, i: 1, j: 0 }], 1);
  assert.equal(host.asked.length, 3);
  host.clock = 30_000;
  images.want([{ z: 1, i: 1, j: 0 }], 1);
  assert.equal(host.asked.length, 4);
  images.dispose();
  assert.ok(host.asked[3].isGone);
});

test("a host that lets no page read its tiles is asked so; failures of others are not tried twice", async () => {
  const closed = new Host();
  const images = closed.images();
  images.want([{ z: 1, i: 0, j: 0 }], 1);
  await closed.answer(() => closed.asked.length > 1);
  assert.equal(images.isReadable, false);
  images.want([{ z: 1, i: 1, j: 1 }], 1);
  assert.deepEqual(
    closed.asked.map(({ crossOrigin }) => crossOrigin),
    ["anonymous", null, null],
  );

  const open = new Host();
  const others = open.images();
  others.want([{ z: 1, i: 0, j: 0 }], 1);
  await open.answer();
  others.want([{ z: 1, i: 1, j: 1 }], 1);
  await open.answer((src) => !src.endsWith("/1/1"));
  assert.equal(open.asked.length, 2);
  assert.equal(others.isReadable, true);
});

test("only so many are kept, the last used", async () => {
  const host = new Host();
  const images = host.images({ ...SPEC, max_zoom: 12 });
  const keys = Array.from({ length: 300 }, (_, i) => ({ z: 12, i, j: 0 }));
  for (const key of keys) {
    images.want([key], 1);
    images.get(keys[0], 1);
    const asked = host.asked.at(-1);
    asked?.answer(true);
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.equal(images.entries.size, 256);
  assert.ok(images.get(keys[0], 1) && images.get(keys[299], 1) && !images.get(keys[1], 1));
});
