// A step of the wheel as factors of zoom.

/** Steps per halving: a notch of a mouse wheel is 100 to 120 units, and zooms by about a fifth. */
const NOTCH = 0.0022;
/** Trackpads report a pinch as a wheel with ctrlKey and much smaller steps. */
const PINCH = 0.011;
const MOST = 260;
/** Units of a line and of a page, the other modes in which steps are counted. */
const LINE = 16;
const PAGE = 400;

/**
 * What a step of the wheel does to the lengths of x and y: over an axis or with Shift only x or y, with Alt only y,
 * else both.
 * @param {Pick<WheelEvent, "deltaX"|"deltaY"|"deltaMode"|"ctrlKey"|"shiftKey"|"altKey">} event
 * @param {"plot"|"x"|"y"} region
 * @returns {[number, number]|null} null: no step
 */
export function wheelZoom({ deltaX, deltaY, deltaMode, ctrlKey, shiftKey, altKey }, region) {
  const unit = deltaMode === 1 ? LINE : deltaMode === 2 ? PAGE : 1;
  const raw = (deltaY === 0 ? deltaX : deltaY) * unit;
  const delta = Math.max(-MOST, Math.min(MOST, raw));
  if (delta === 0) return null;
  const factor = 2 ** (delta * (ctrlKey ? PINCH : NOTCH));
  const only = region !== "plot" ? region : shiftKey ? "x" : altKey ? "y" : "";
  return [only === "y" ? 1 : factor, only === "x" ? 1 : factor];
}
