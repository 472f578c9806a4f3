// All that stands round and over one figure: its form, its buttons, its status line, what its pointer tells, and its
// panel of rows.

import { FigureGestures } from "../input/gestures.js";
import { Hover } from "../input/hover.js";
import { bindCategoryKeys } from "./legend/category-keys.js";
import { bindLegendEntries } from "./legend/legend-entries.js";
import { RowsPanel } from "./rows/rows-panel.js";
import { bindColourLock } from "./settings/colour-lock.js";
import { bindPickers } from "./settings/pickers.js";
import { bindSettings } from "./settings/settings.js";
import { bindBeyond } from "./status/beyond.js";
import { describe } from "./status/describe.js";
import { bindState } from "./status/figure-state.js";
import { bindLive } from "./status/live.js";
import { bindOutside } from "./status/outside.js";
import { bindRowFacts } from "./status/row-facts.js";
import { Status } from "./status/status.js";
import { bindToolbar } from "./toolbar.js";

/**
 * @param {import("../figure/figure.js").Figure} figure
 * @param {{notices: import("./page/notices.js").Notices, help: () => void, signal: AbortSignal}} page `help` is shown;
 *   `signal` ends what the figure has outside of its element
 */
export function bindFigure(figure, { notices, help, signal }) {
  const say = (/** @type {string} */ words) => notices.say(words);
  bindColourLock(figure);
  bindLegendEntries(figure);
  bindCategoryKeys(figure, say);
  bindPickers(figure);
  bindSettings(figure);
  bindLive(figure, signal);
  bindBeyond(figure, say);
  const status = new Status(figure.section, (words) => notices.say(words, `status of figure ${figure.index}`));
  bindState(figure, status);
  bindRowFacts(figure, status);
  bindOutside(figure, status);
  const hover = new Hover(figure, say);
  const rows = figure.selection.requests.isPossible ? new RowsPanel(figure, { say }) : null;
  hover.inspector = rows;
  new FigureGestures(figure, hover, bindToolbar(figure, { help, rows: () => rows?.openView() }));
  describe(figure, say);
}
