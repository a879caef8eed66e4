// Two models of the reader's choice: the tracks on which one beats the other most.
import { decimal, signedDecimal } from "./data.js";
import { choice, element } from "./elements.js";

const SHOWN = 5;

export function startDuel(data) {
  const form = document.querySelector("[data-duel]");
  const body = document.querySelector("[data-swing-rows]");
  if (!form || !body) return;
  const values = data.values[data.headline];
  const named = data.models.map((model, place) => [String(place), model.name]);
  const present = named.filter(([place]) => values.median[Number(place)].length);
  const start = present.filter(([place]) => data.models[Number(place)].ranked);
  const pair = (start.length > 1 ? start : present).slice(0, 2).map(([place]) => place);
  const fields = ["First", "Second"].map((label, side) => choice(label, present, pair[side]));
  const show = () => {
    const [first, second] = fields.map(([, select]) => Number(select.value));
    body.replaceChildren(...extremes(data, values, first, second).map(swingRow));
    document.querySelector("[data-swing-caption]").textContent =
      `${data.models[first].name} against ${data.models[second].name}: the tracks at both ends.`;
  };
  for (const [field, select] of fields) {
    select.addEventListener("change", show);
    form.append(field);
  }
}

function extremes(data, values, first, second) {
  const series = data.series[data.headline];
  const way = series.usual.includes("frame means") ? "mean" : "median";
  const [a, b] = [values[way][first], values[way][second]];
  const rows = data.tracks[series.dataset]
    .map((track, place) => ({ track, a: a[place] ?? null, b: b[place] ?? null }))
    .filter((row) => row.a !== null && row.b !== null)
    .map((row) => ({ ...row, difference: row.a - row.b }))
    .sort((x, y) => y.difference - x.difference);
  return rows.length <= 2 * SHOWN ? rows : [...rows.slice(0, SHOWN), ...rows.slice(-SHOWN)];
}

function swingRow(row) {
  return element(
    "tr",
    {},
    element("th", { scope: "row" }, element("bdi", { class: "name" }, row.track)),
    element("td", { class: "num" }, decimal(row.a)),
    element("td", { class: "num" }, decimal(row.b)),
    element("td", { class: `num ${row.difference > 0 ? "up" : "down"}` }, signedDecimal(row.difference)),
  );
}
