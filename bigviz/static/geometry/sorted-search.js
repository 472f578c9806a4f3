// Places of values among ascending ones, which are not NaN, by bisection.

/** @param {Float64Array} sorted @param {number} value @returns {number} the first place not below it */
export function firstFrom(sorted, value) {
  let [a, b] = [0, sorted.length];
  while (a < b) {
    const middle = (a + b) >> 1;
    if (sorted[middle] < value) a = middle + 1;
    else b = middle;
  }
  return a;
}

/** @param {Float64Array} sorted @param {number} value @returns {number} the first place above it */
export function firstAbove(sorted, value) {
  let [a, b] = [0, sorted.length];
  while (a < b) {
    const middle = (a + b) >> 1;
    if (sorted[middle] <= value) a = middle + 1;
    else b = middle;
  }
  return a;
}
