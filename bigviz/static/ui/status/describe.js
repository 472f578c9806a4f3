// The name of a plot for screen readers, which tells what it shows.

import { rangeWords } from "../page/about.js";

/**
 * Keeps a figure's name for screen readers, and says where it came to rest.
 * @param {import("../../figure/figure.js").Figure} figure
 * @param {(words: string) => void} say
 */
export function describe(figure, say) {
  let said = "";
  const { ranges, section } = figure;
  const words = () => {
    const { x, y } = figure.axes;
    const isFollowing = ranges.x.isFollowing && section.dataset.live !== undefined;
    return (
      `${figure.title || "Plot"}: ${x.title} ${isFollowing ? "follows the newest data" : rangeWords(figure, "x")}, ` +
      `${y.title} ${rangeWords(figure, "y")}`
    );
  };
  figure.addEventListener("exact", () => figure.surface.setAttribute("aria-label", words()));
  figure.addEventListener("rest", () => {
    const now = words();
    // Where only the data move the view, that is no news.
    const isMoved = section.dataset.live === undefined || ranges.x.moved || ranges.y.moved;
    if (said !== "" && said !== now && isMoved) say(now);
    said = now;
  });
}
