// Zones: offsets, local times and back.

import assert from "node:assert/strict";
import { test } from "node:test";
import { instantsOf, isKnownZone, passOf, zoneOffset } from "../../../bigviz/static/axes/zones.js";
import { random } from "../random.js";

test("offsets and local times agree with Intl on both sides of a change", () => {
  const rand = random(82);
  for (const zone of ["Europe/Paris", "America/St_Johns", "Australia/Lord_Howe", "Asia/Tokyo"]) {
    const format = new Intl.DateTimeFormat("sv-SE", { timeZone: zone, dateStyle: "short", timeStyle: "medium" });
    for (let round = 0; round < 200; round++) {
      const ms = Math.floor(rand() * 1.9e12);
      assert.equal(new Date(ms + zoneOffset(ms, zone)).toISOString().slice(0, 19).replace("T", " "), format.format(ms));
      const back = instantsOf(ms + zoneOffset(ms, zone), zone);
      assert.ok(back.includes(ms), "it is one of those with its local time");
    }
  }
  const gap = Date.UTC(2024, 2, 31, 2, 30);
  assert.deepEqual(
    instantsOf(gap, "Europe/Paris"),
    [Date.UTC(2024, 2, 31, 1, 30)],
    "02:30 does not exist: 03:30 instead",
  );
  assert.equal(zoneOffset(0, "Not/AZone"), 0);
  assert.equal(zoneOffset(0, "-03:30"), -3.5 * 3600e3);
});

test("the hour that autumn repeats has two instants", () => {
  const half = Date.UTC(2026, 9, 25, 2, 30);
  assert.deepEqual(instantsOf(half, "Europe/Berlin"), [Date.UTC(2026, 9, 25, 0, 30), Date.UTC(2026, 9, 25, 1, 30)]);
  assert.deepEqual(instantsOf(half + 3600e3, "Europe/Berlin"), [Date.UTC(2026, 9, 25, 2, 30)]);
  assert.equal(passOf(Date.UTC(2026, 9, 25, 0, 30), "Europe/Berlin"), "+02");
  assert.equal(passOf(Date.UTC(2026, 9, 25, 1, 30), "Europe/Berlin"), "+01");
  assert.equal(passOf(Date.UTC(2026, 9, 25, 2, 30), "Europe/Berlin"), "");
  assert.equal(passOf(Date.UTC(2026, 3, 4, 14, 45), "Australia/Lord_Howe"), "+11");
  assert.equal(passOf(Date.UTC(2026, 3, 4, 15, 15), "Australia/Lord_Howe"), "+10:30");
  assert.equal(passOf(Date.UTC(2026, 9, 25, 0, 30), null), "");
});

test("fixed offsets as Arrow and Python write them", () => {
  const hours = {
    "+01:00": 1,
    "UTC+01:00": 1,
    "UTC+1": 1,
    "utc-0330": -3.5,
    "GMT+05:45": 5.75,
    "-08": -8,
    "+00:00": 0,
    "UTC-00:00:30": -30 / 3600,
  };
  for (const [zone, offset] of Object.entries(hours)) assert.equal(zoneOffset(1.7e12, zone), offset * 3600e3, zone);
  assert.equal(zoneOffset(0, "Etc/GMT+1"), -3600e3, "a name of the database, whose sign is the other way round");
  assert.ok(
    isKnownZone("Europe/Berlin") &&
      isKnownZone("UTC+01:00") &&
      isKnownZone("UTC") &&
      !isKnownZone("Not/AZone") &&
      !isKnownZone("UTC+banana"),
  );
});
