// Two models of the reader's choice: the tracks on which one beats the other most.
import { onChoice, seriesText, trackValues } from "./choice.js";
import { decimal, signedDecimal } from "./data.js";
import { choice, element, modelName } from "./elements.js";

const SHOWN = 5;

export function startDuel(data) {
  const form = document.querySelector("[data-duel]");
  const body = document.querySelector("[data-swing-rows]");
  if (!form || !body || !data.values.length) return;
  const duel = { data, form, body, series: data.headline, aggregation: data.series[data.headline].usual, fields: [] };
  offerModels(duel);
  onChoice((series, aggregation) => {
    Object.assign(duel, { series, aggregation });
    offerModels(duel);
    showDuel(duel);
  });
}

// The models that have values here; those chosen before stay chosen where they can.
function offerModels(duel) {
  const { data, series, aggregation } = duel;
  const values = trackValues(data, series, aggregation);
  const present = data.boards[series][aggregation].map(([index]) => index).filter((index) => values[index].length);
  const ranked = present.filter((index) => data.models[index].ranked);
  const start = [...(ranked.length > 1 ? ranked : present)];
  const before = duel.fields.map(([, select]) => Number(select.value));
  const options = present.map((index) => [String(index), data.models[index].name]);
  duel.fields = ["First", "Second"].map((label, side) => {
    const held = present.includes(before[side]) ? before[side] : start[side];
    return choice(label, options, String(held));
  });
  for (const [, select] of duel.fields) select.addEventListener("change", () => showDuel(duel));
  duel.form.replaceChildren(...duel.fields.map(([field]) => field));
}

function showDuel(duel) {
  const { data, series } = duel;
  const [first, second] = duel.fields.map(([, select]) => Number(select.value));
  duel.body.replaceChildren(...extremes(duel, first, second).map(swingRow));
  const heads = document.querySelectorAll("[data-swing-name]");
  for (const [place, index] of [first, second].entries()) heads[place].replaceChildren(modelName(data, index));
  document
    .querySelector("[data-swing-caption]")
    .replaceChildren(
      modelName(data, first),
      " against ",
      modelName(data, second),
      ` by ${seriesText(data.series[series])}: the tracks with the largest differences.`,
    );
}

function extremes(duel, first, second) {
  const { data, series, aggregation } = duel;
  const values = trackValues(data, series, aggregation);
  const [a, b] = [values[first] ?? [], values[second] ?? []];
  const sign = data.series[series].higher ? 1 : -1;
  const rows = data.tracks[data.series[series].dataset]
    .map((track, place) => ({ track, a: a[place] ?? null, b: b[place] ?? null }))
    .filter((row) => row.a !== null && row.b !== null)
    .map((row) => ({ ...row, difference: row.a - row.b, better: sign * (row.a - row.b) }))
    .sort((x, y) => y.better - x.better);
  return rows.length <= 2 * SHOWN ? rows : [...rows.slice(0, SHOWN), ...rows.slice(-SHOWN)];
}

function swingRow(row) {
  return element(
    "tr",
    {},
    element("th", { scope: "row" }, element("bdi", { class: "name" }, row.track)),
    element("td", { class: "num" }, decimal(row.a)),
    element("td", { class: "num" }, decimal(row.b)),
    element("td", { class: `num ${row.better > 0 ? "up" : "down"}` }, signedDecimal(row.difference)),
  );
}
