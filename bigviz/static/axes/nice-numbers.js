// Round numbers within a range, of any size that a double has.

import { format } from "d3-format";
import { scaleLinear } from "d3-scale";

/**
 * Beyond these d3 finds none: it divides by the step, and squares of it overflow. Such ranges are moved by a power of
 * ten first.
 */
const SHORT = 1e-290;
const LARGE = 1e300;
const UP = 1e300;
const DOWN = 1e-20;

/** @param {number} lo @param {number} hi above lo @param {number} target about so many @returns {number[]} ascending */
export function roundsBetween(lo, hi, target) {
  const factor = factorFor(lo, hi);
  if (!(hi > lo)) return [];
  return scaleLinear()
    .domain([lo * factor, hi * factor])
    .ticks(target)
    .map((value) => value / factor);
}

/**
 * The same with labels that tell them apart.
 * @param {number} lo
 * @param {number} hi
 * @param {number} target
 * @returns {{value: number, label: string}[]}
 */
export function niceNumbers(lo, hi, target) {
  const values = roundsBetween(lo, hi, target);
  const words =
    factorFor(lo, hi) === 1
      ? scaleLinear()
          .domain([lo, hi])
          .tickFormat(target, numberStyle(lo, hi, target))
      : exponents(values);
  return values.map((value) => ({ value, label: value === 0 ? "0" : words(value) }));
}

/** @param {number} lo @param {number} hi @returns {number} */
function factorFor(lo, hi) {
  if (Math.max(Math.abs(lo), Math.abs(hi)) > LARGE) return DOWN;
  return hi - lo < SHORT ? UP : 1;
}

/** @param {number[]} values steps apart @returns {(value: number) => string} with the digits that a step needs */
function exponents(values) {
  const most = Math.max(...values.map(Math.abs));
  const digits =
    values.length > 1 ? Math.floor(Math.log10(most)) - Math.floor(Math.log10((values[1] - values[0]) * 1.000001)) : 0;
  return format(`.${Math.max(0, Math.min(17, digits))}~e`);
}

/**
 * Thousands separators near 1, SI prefixes for millions, exponents far away.
 * @param {number} lo
 * @param {number} hi
 * @param {number} target
 * @returns {string} d3 format
 */
export function numberStyle(lo, hi, target) {
  const most = Math.max(Math.abs(lo), Math.abs(hi));
  if (most >= 1e15 || most < 1e-4) return "e";
  return most >= 1e6 && (hi - lo) / target >= most * 1e-3 ? "s" : ",f";
}
