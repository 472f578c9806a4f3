// Names of colour maps. The server tells them: its maps, and every other name that one of them has.

/** @typedef {{luts: Map<string, Uint8Array>, cmapAliases: Readonly<Record<string, string>>}} Maps */

/**
 * The name under which a map is offered, of any name it has in colorcet, matplotlib or Bokeh, in any case of letters.
 * @param {string} name @param {Maps} maps @returns {string|null} null for a map that is not offered
 */
export function canonical(name, { luts, cmapAliases }) {
  if (luts.has(name)) return name;
  const folded = name.toLowerCase();
  const found = Object.hasOwn(cmapAliases, folded) ? cmapAliases[folded] : null;
  return found !== null && luts.has(found) ? found : null;
}
