// Time zones: local times of instants and back, with the hour that autumn repeats.

/** @type {Map<string, Intl.DateTimeFormat|number|null>} */
const zones = new Map();
/** A fixed offset, as Arrow and Python write it: "+01:00", "-0330", "UTC+01:00", "UTC+1". */
const FIXED = /^(?:UTC|GMT)?([+-])(\d{1,2})(?::?(\d{2}))?(?::?(\d{2}))?$/i;
const HOUR = 3_600_000;

/**
 * A formatter of a zone, or its fixed offset in ms; null for a name that this browser does not know.
 * @param {string} zone
 * @returns {Intl.DateTimeFormat|number|null}
 */
function zoneOf(zone) {
  const known = zones.get(zone);
  if (known !== undefined) return known;
  const fixed = FIXED.exec(zone);
  /** @type {Intl.DateTimeFormat|number|null} */ let found = null;
  if (fixed)
    found =
      (fixed[1] === "-" ? -1 : 1) *
      (Number(fixed[2]) * 3600 + Number(fixed[3] ?? 0) * 60 + Number(fixed[4] ?? 0)) *
      1000;
  else {
    const parts = /** @type {const} */ ({
      era: "short",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric",
    });
    try {
      found = new Intl.DateTimeFormat("en-US", { timeZone: zone, hourCycle: "h23", ...parts });
    } catch {
      // A name that this browser does not know: its stamps are shown in UTC, and the axis says so.
    }
  }
  zones.set(zone, found);
  return found;
}

/** @param {string} zone @returns {boolean} its local times are known here; those of others are UTC's */
export function isKnownZone(zone) {
  return zoneOf(zone) !== null;
}

/** Local minus UTC time.  @param {number} ms since the epoch @param {string|null} zone @returns {number} ms */
export function zoneOffset(ms, zone) {
  const found = zone === null || zone === "UTC" ? 0 : (zoneOf(zone) ?? 0);
  if (typeof found === "number") return found;
  const whole = Math.floor(ms / 1000) * 1000;
  const part = Object.fromEntries(found.formatToParts(whole).map(({ type, value }) => [type, value]));
  const year = part.era === "BC" ? 1 - Number(part.year) : Number(part.year);
  return (
    Date.UTC(
      year,
      Number(part.month) - 1,
      Number(part.day),
      Number(part.hour),
      Number(part.minute),
      Number(part.second),
    ) - whole
  );
}

/**
 * The instants of a local time, ascending: two in the hour that autumn repeats; in a gap the one after it.
 * @param {number} local ms
 * @param {string|null} zone
 * @returns {number[]} ms since the epoch
 */
export function instantsOf(local, zone) {
  const guess = local - zoneOffset(local, zone);
  const offsets = new Set([-3, 0, 3].map((hours) => zoneOffset(guess + hours * HOUR, zone)));
  const found = [...offsets]
    .map((offset) => local - offset)
    .filter((instant) => instant + zoneOffset(instant, zone) === local);
  if (found.length > 0) return found.sort((a, b) => a - b);
  const again = local - zoneOffset(guess, zone);
  return [Math.max(again, local - zoneOffset(again, zone))];
}

/**
 * What tells an instant from another one with the same local time: its offset, as "+02"; nothing where there is no
 * other.
 * @param {number} ms
 * @param {string|null} zone
 * @returns {string}
 */
export function passOf(ms, zone) {
  const offset = zoneOffset(ms, zone);
  if (instantsOf(ms + offset, zone).length < 2) return "";
  const minutes = Math.round(Math.abs(offset) / 60_000);
  const two = (/** @type {number} */ value) => String(value).padStart(2, "0");
  return `${offset < 0 ? "−" : "+"}${two(Math.floor(minutes / 60))}${minutes % 60 ? `:${two(minutes % 60)}` : ""}`;
}
