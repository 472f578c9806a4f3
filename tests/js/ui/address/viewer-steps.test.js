import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { ViewerSteps } from "../../../../bigviz/static/ui/address/viewer-steps.js";

const globals = /** @type {any} */ (globalThis);
const HTMLElementBefore = globals.HTMLElement;
const ElementBefore = globals.Element;

class Place extends EventTarget {
  constructor() {
    super();
    this.dataset = { control: "a" };
  }

  closest() {
    return this;
  }
}

before(() => {
  globals.Element = globals.HTMLElement = Place;
});

after(() => {
  globals.Element = ElementBefore;
  globals.HTMLElement = HTMLElementBefore;
});

/** Steps by a clock, and what makes an event in the control and tells whether the change is an entry of its own. */
function made() {
  const clock = { now: 0 };
  const place = /** @type {any} */ (new Place());
  const steps = new ViewerSteps(place, new AbortController().signal, () => clock.now);
  const changed = (/** @type {string} */ type) => {
    let found = null;
    place.addEventListener(type, () => (found = steps.isNew("a")), { once: true });
    place.dispatchEvent(new Event(type));
    return found;
  };
  return { clock, steps, place, changed };
}

test("a drag is one entry however long it takes, and the next one another", () => {
  const { clock, place, changed } = made();
  assert.equal(changed("input"), true);
  clock.now = 5_000;
  assert.equal(changed("input"), false);
  place.dispatchEvent(new Event("change"));
  clock.now = 5_500;
  assert.equal(changed("change"), false, "at once after it");
  clock.now = 7_000;
  assert.equal(changed("input"), true);
});

test("what no viewer does is no entry; another control and another tab are", async () => {
  const { steps, changed } = made();
  assert.equal(steps.isNew("a"), false);
  assert.equal(changed("change"), true);
  assert.equal(steps.isNew("b"), false, "an app answers to what was touched");
  assert.equal(steps.isNew("tab 0", true), true);
  assert.equal(steps.isNew("tab 0", true), false);
  steps.end();
  assert.equal(steps.isNew("tab 0", true), true);
});
