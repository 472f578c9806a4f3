// Answers about layers are taken together.

import assert from "node:assert/strict";
import { test } from "node:test";
import { LayerAnswers } from "../../../bigviz/static/figure/layer-answers.js";

/** Layers of which some are asked about. @param {boolean[]} asked @returns {any[]} */
const layersOf = (asked) => asked.map((is) => ({ asked: is ? {} : null }));
/** @param {number} rows @returns {any} */
const info = (rows) => ({ rows });

test("answers wait for those about the other layers, and come in the order of the layers", () => {
  const layers = layersOf([true, true, false]);
  const answers = new LayerAnswers(layers);
  answers.add(layers[1], info(1));
  assert.deepEqual(answers.take(), []);
  answers.add(layers[1], info(2));
  assert.deepEqual(answers.take(), [], "more is known of the same layer");
  answers.add(layers[0], info(3));
  assert.deepEqual(answers.take(), [
    [layers[0], info(3)],
    [layers[1], info(2)],
  ]);
  assert.deepEqual(answers.take(), []);
});

test("a layer that failed is not waited for", () => {
  const layers = layersOf([true, true]);
  const answers = new LayerAnswers(layers);
  answers.add(layers[0], info(1));
  layers[1].asked = null;
  assert.deepEqual(answers.take(), [[layers[0], info(1)]]);
});

test("what was answered before a layer was asked about again does not count", () => {
  const layers = layersOf([true, true]);
  const answers = new LayerAnswers(layers);
  answers.add(layers[0], info(1));
  answers.forget(layers[0]);
  answers.add(layers[1], info(2));
  assert.deepEqual(answers.take(), []);
  answers.add(layers[0], info(3));
  assert.equal(answers.take().length, 2);
});
