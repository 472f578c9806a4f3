// Colours of categories: colorcet's glasbey_category10 (Glasbey and others, "Colour displays for categorical images",
// 2007; colorcet 3.2, CC BY 4.0). The first ten are the familiar ones; each later colour is as far as possible from all
// before it.

const SWATCH_STOPS = 24;

const HEX =
  "1f77b3ff7e0e2ba02bd626289367bc8c564be277c17e7e7ebcbc2116bdcf3a01820042010fffa85d003fbcbcffd8afa1b80080004d52" +
  "6b64007c01006026ffffff9a5649648cb89393fbff01826790ff008200a0ac89445b3400ffbff2ff6e75798cffdd00ff505646004489" +
  "ffbf60ff018cbdc8cfaf97b5b65600017000cd87ff1cd646bfebc37997b5a560896e8956bc7c758a284400acff8ed4ff4b6d7700d4b1" +
  "9300f28a95005d5b9efddfba00939effdb0000aa795200670000910a5d3da5e275623b41c6c689ff9eb5cd4f6bff07d68a3a057e3d70" +
  "ff4901602ba51c00ffe6dfffaa3bafd89c00a3a39e3f69ff46490c7b69856b978cff9a75835bff7c6b4680b654bc0049fd93ff5d0018" +
  "89d1d19c8cd3da6d428a57003b50694b6b3bedcfd8cfedffaa1500dfff4fff2a56d1499e707cb859800000e4fd774b9567d48c3d3a72" +
  "ac413fd6a166c169cd69595d87aceda0a569d1aae687006200fddb672818b342ff0e59c416874290d300cd7900f959ff5b74668eaeb3" +
  "9c7c8c4600c66b4d2da56d469e8972a8afcacd8ca700fd64917900ff62a1f4ffd8018cf013aca05b2d5989859ecfccbad4afc4dbdd6d" +
  "cffff4006485006962a841672d97c4a874ff26ba5d57b600caffa7a379aaffbc9389e2c10fc8ffd400c4626d8969858e4b4d52aa6067" +
  "79b5d42b59169a0024bdd1f2896e6769a56b855467aecdba87997ecadb009a0390ebbc1aeb9cd170006eb1a131ca6b934146a3e48c89" +
  "d44400c68acab69597d41f75724bcc674d0067213838564f6ebaaa853a31a5d397b8af8ed8e4dfaa00dfcac1dbffdf8ce2524d66696e" +
  "ff001c522d724d906ba86d11ff9e265ea3afc88556915997a3a1fffdbaba242a87dbe6a897f2a76793d6ba5b3f3a5d91364f2f267c95" +
  "89959acfb3560046645e5d2f8e8e41ac3f1369953ba13d85bfb6baacc6676469cf91af002be2da016e36ff795242807e4fe800995428" +
  "5d0a00a300570c87005982a7ffebfb4b69018775d4e6c6ffa5ffdad86e77df014b69675b776ba17e80675946850000ca7c002a97ff72" +
  "b5e2e1db52c877773457bd8e";

/** 256 x RGB. */
export const GLASBEY = Uint8Array.from({ length: HEX.length / 2 }, (_, k) =>
  Number.parseInt(HEX.slice(2 * k, 2 * k + 2), 16),
);

/** Palettes of which some categories are hidden, by these.  @type {Map<string, Uint8Array>} */
const PARTS = new Map();
/** @type {WeakMap<Uint8Array, ReadonlySet<number>>} */
const HIDDEN = new WeakMap();
/** Palettes that are remembered. */
const MOST_PARTS = 64;

/**
 * The colours of categories without some of them: the others keep theirs. Equal ones are one array.
 * @param {readonly number[]} hidden ascending
 * @returns {Uint8Array} 256 x RGB
 */
export function coloursWithout(hidden) {
  if (hidden.length === 0) return GLASBEY;
  const name = hidden.join();
  const found = PARTS.get(name) ?? GLASBEY.slice();
  HIDDEN.set(found, new Set(hidden));
  PARTS.set(name, found);
  for (const old of PARTS.keys()) if (PARTS.size > MOST_PARTS) PARTS.delete(old);
  return found;
}

/** @param {Uint8Array} colours @param {number} code of a category @returns {boolean} */
export const isLeftOut = (colours, code) => HIDDEN.get(colours)?.has(code) ?? false;

/** @param {Uint8Array} lut 256 x RGB @returns {string} a CSS gradient, lowest on the left */
export function gradient(lut) {
  const stops = Array.from({ length: SWATCH_STOPS + 1 }, (_, k) => {
    const c = 3 * Math.round((k / SWATCH_STOPS) * 255);
    return `rgb(${lut[c]} ${lut[c + 1]} ${lut[c + 2]})`;
  });
  return `linear-gradient(90deg, ${stops.join(", ")})`;
}
