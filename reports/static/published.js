// Published figures below the measured rows: same data set, protocol and aggregation, never ranked.
import { decimal } from "./data.js";
import { drawing, element } from "./elements.js";

// Those that belong to the board and pass its filters.
export function publishedRows(data, series, aggregation, text, bounds) {
  const held = data.published[series]?.[aggregation] ?? [];
  return held.filter(([name, , oracle, , , baseline]) => name.toLowerCase().includes(text) && (bounds || !(oracle || baseline)));
}

export function publishedRow([name, value, oracle, extra, source, baseline], axis) {
  const at = (place) => axis.place(place).toFixed(2);
  const lines = axis.ticks.map((tick) => drawing("line", { class: "grid", x1: at(tick), x2: at(tick), y1: 0, y2: 24 }));
  const mark = drawing("path", { class: "cross", transform: `translate(${at(value)} 12)`, d: "M-4 -4 4 4M-4 4 4 -4" });
  const badge = (text, title) => [" ", element("span", { class: "badge", title }, text)];
  const none = (kind) => element("td", { class: kind }, "–");
  return element(
    "tr",
    { class: "bound" },
    element("td", { class: "num rank" }, "–"),
    element(
      "th",
      { scope: "row" },
      element("bdi", { class: "name" }, name),
      " ",
      element("a", { class: "badge", href: `#source-${source}` }, `published, source ${source}`),
      ...(oracle ? badge("oracle", "It was given the references: an upper bound, not a competitor.") : []),
      ...(baseline ? badge("baseline", "It separates nothing: its score is the level of doing nothing.") : []),
      ...(extra ? badge("extra data", "Trained on more than the data set’s training part.") : []),
    ),
    element("td", { class: "num value" }, decimal(value)),
    element(
      "td",
      { class: "axis" },
      drawing("svg", { class: "whisker", viewBox: "0 0 240 24", "aria-hidden": "true" }, ...lines, mark),
    ),
    none("num interval"),
    none("num gap"),
    ...Array.from({ length: 3 }, () => none("num cost")),
  );
}
