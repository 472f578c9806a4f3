// Words: a small part of Markdown, as elements and text nodes.

import { make } from "../../dom.js";

const LINK = /^(?:https?:\/\/|mailto:)/i;
/** Within a line: code, bold, italics, links; what is none of them is text. */
const INLINE = /`([^`]+)`|\*\*(.+?)\*\*|\*([^*\s][^*]*?)\*|\[([^\]]*)\]\(([^()\s]+)\)/;
const HEADING = /^(#{1,3})\s+(.*)$/;
const ITEM = /^\s*(?:[-*]|(\d+)[.)])\s+(.*)$/;

/** @param {string} id @param {import("../../types.js").ControlSpec} spec @returns {HTMLElement} */
export function markdown(id, spec) {
  return make("div", { class: "control words", attrs: { "data-control": id } }, blocks(spec.text ?? ""));
}

/** @param {string} text @returns {HTMLElement[]} */
export function blocks(text) {
  return text
    .replaceAll("\r\n", "\n")
    .split(/\n{2,}/)
    .map((part) => part.split("\n").filter((line) => line.trim() !== ""))
    .filter((lines) => lines.length > 0)
    .flatMap(block);
}

/** @param {string[]} lines @returns {HTMLElement[]} */
function block(lines) {
  const heading = HEADING.exec(lines[0]);
  if (heading) {
    // The page's own headings are of levels 1 and 2.
    const level = /** @type {"h3"|"h4"|"h5"} */ (`h${heading[1].length + 2}`);
    const rest = lines.slice(1);
    return [make(level, {}, inline(heading[2])), ...(rest.length > 0 ? block(rest) : [])];
  }
  const items = lines.map((line) => ITEM.exec(line));
  if (items.every((item) => item !== null)) {
    const isNumbered = items[0]?.[1] !== undefined;
    return [
      make(
        isNumbered ? "ol" : "ul",
        {},
        items.map((item) => make("li", {}, inline(item?.[2] ?? ""))),
      ),
    ];
  }
  return [make("p", {}, inline(lines.join(" ")))];
}

/** @param {string} text @returns {(Node|string)[]} */
export function inline(text) {
  const found = INLINE.exec(text);
  if (!found) return text === "" ? [] : [text];
  const [whole, code, bold, italic, label, address] = found;
  const rest = inline(text.slice(found.index + whole.length));
  const before = text.slice(0, found.index);
  return [...(before === "" ? [] : [before]), ...span({ whole, code, bold, italic, label, address }), ...rest];
}

/** @param {Record<"whole"|"code"|"bold"|"italic"|"label"|"address", string>} found @returns {(Node|string)[]} */
function span({ whole, code, bold, italic, label, address }) {
  if (code !== undefined) return [make("code", { text: code })];
  if (bold !== undefined) return [make("strong", {}, inline(bold))];
  if (italic !== undefined) return [make("em", {}, inline(italic))];
  if (!LINK.test(address)) return [whole];
  return [make("a", { text: label || address, attrs: { href: address, rel: "noopener noreferrer" } })];
}
