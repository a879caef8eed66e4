// The table of all tracks follows the series and aggregation that the reader chose.
import { onChoice, seriesText, trackValues } from "./choice.js";
import { afterComma, decimal } from "./data.js";
import { element, modelName, modelSign } from "./elements.js";

export function startTracks(data) {
  const head = document.querySelector("[data-tracks-head]");
  const body = document.querySelector("[data-track-rows]");
  if (!head || !body || !data.values.length) return;
  onChoice((series, aggregation) => {
    const models = data.boards[series][aggregation].map(([index]) => index);
    const values = trackValues(data, series, aggregation);
    const one = data.series[series];
    const cells = models.map((index) =>
      element("th", { scope: "col", class: "num" }, modelSign(data, index), "\u00a0", modelName(data, index)),
    );
    head.replaceChildren(element("th", { scope: "col" }, "Track"), ...cells);
    const rows = data.tracks[one.dataset].map((track, place) => trackRow(track, models, values, place));
    body.replaceChildren(...rows);
    document.querySelector("[data-tracks-caption]").textContent =
      `${seriesText(one)} on every track${afterComma(one.unit)}${framesText(aggregation)}.`;
  });
}

function framesText(aggregation) {
  if (!aggregation.includes("frame")) return "";
  return `: the ${aggregation.includes("frame means") ? "mean" : "median"} over its frames`;
}

function trackRow(track, models, values, place) {
  const cells = models.map((index) => element("td", { class: "num" }, decimal(values[index][place])));
  return element("tr", {}, element("th", { scope: "row" }, element("bdi", { class: "name" }, track)), ...cells);
}
