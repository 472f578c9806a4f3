// The badge of a figure whose data grow.

import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { Streams } from "../../../../bigviz/static/figure/growth/streams.js";
import { short } from "../../../../bigviz/static/ui/status/figure-state.js";
import { bindLive, canFollowX } from "../../../../bigviz/static/ui/status/live.js";

class Element {
  dataset = /** @type {Record<string, string>} */ ({});
  hidden = true;
  textContent = "";
  querySelector() {
    return badge;
  }
}
let badge = new Element();

beforeEach(() => {
  mock.timers.enable({ apis: ["setTimeout", "Date"] });
  badge = new Element();
  Object.assign(globalThis, { HTMLElement: Element });
});
afterEach(() => mock.timers.reset());

/** A figure of one layer over "ticks". */
function world() {
  const streams = new Streams();
  streams.begin("ticks", 100);
  const layer = { spec: { dataset: "ticks" }, info: { version: 1 } };
  const section = new Element();
  const figure = /** @type {any} */ (
    Object.assign(new EventTarget(), {
      page: { streams },
      section,
      layers: [layer],
      main: layer,
      ranges: { x: { published: null } },
    })
  );
  const end = new AbortController();
  bindLive(figure, end.signal);
  const draw = (/** @type {number} */ version) => {
    layer.info = { version };
    figure.dispatchEvent(new Event("frame"));
  };
  return { streams, section, figure, draw, end };
}

test("a figure whose data have not grown has no badge, and tells its version", () => {
  const { section, draw, figure, streams } = world();
  draw(1);
  assert.deepEqual([section.dataset.version, badge.hidden, section.dataset.live], ["1", true, undefined]);
  assert.ok(!canFollowX(figure));
  streams.take("others", { version: 2, rows: 5 });
  streams.take("ticks", { version: 2, rows: 100 });
  assert.equal(badge.hidden, true, "another dataset, or the same rows changed");
});

test("rows and delay are told when the version is drawn, and silence after a while", () => {
  const { section, draw, figure, streams } = world();
  streams.take("ticks", { version: 2, rows: 200, age: 0.5 });
  assert.deepEqual([section.dataset.live, badge.hidden, badge.textContent], ["1", false, ""]);
  assert.ok(canFollowX(figure));
  draw(2);
  assert.match(badge.textContent, / rows\/s · 5\d\d ms$/);
  assert.ok(Number(badge.dataset.rate) > 0 && Number(badge.dataset.delay) >= 500);
  mock.timers.tick(60_000);
  assert.deepEqual([section.dataset.live, badge.textContent], ["0", "no new rows"]);
});

test("where the server does not say when, rows alone are told; nothing after the figure's end", () => {
  const { draw, streams, section, end } = world();
  streams.take("ticks", { version: 2, rows: 200 });
  draw(2);
  assert.match(badge.textContent, / rows\/s$/);
  end.abort();
  mock.timers.tick(60_000);
  assert.equal(section.dataset.live, "1");
});

test("rates are short", () => {
  const texts = /** @type {[number, string][]} */ ([
    [0, "0"],
    [0.25, "0.25"],
    [999, "1K"],
    [1234, "1.2K"],
    [550_000, "550K"],
    [2e9, "2B"],
  ]);
  for (const [rate, text] of texts) assert.equal(short(rate), text);
});
