// The leaderboard: choose what it shows, sort it, filter it.
import { linearAxis } from "./axis.js";
import { tellChoice } from "./choice.js";
import { afterComma, bytesText, decimal, inUnit, millionsText, percentText, speedText } from "./data.js";
import { choice, drawing, element, labelled, modelName, modelSign } from "./elements.js";
import { publishedRow, publishedRows } from "./published.js";
import { keepStateOnJumps, readState, writeState } from "./state.js";

const FACETS = [
  ["dataset", "Data set", (one) => one.dataset],
  ["references", "Scored against", (one) => one.references],
  ["target", "Target", (one) => one.target],
  ["metric", "Metric", (one) => `${one.protocol} ${one.metric}`],
];

export function startBoard(data) {
  const form = document.querySelector("[data-controls]");
  const body = document.querySelector("[data-board-rows]");
  if (!form) return;
  const state = readState();
  const board = { data, form, body, state, series: data.headline, aggregation: "" };
  adoptState(board);
  makeSortable(board);
  if ([...state.keys()].some((key) => key !== "at")) showBoard(board);
  else showControls(board);
  keepStateOnJumps(state);
  window.addEventListener("hashchange", () => {
    const next = readState();
    if (!next.size) return;
    state.clear();
    for (const [key, value] of next) state.set(key, value);
    adoptState(board);
    showBoard(board);
  });
}

function adoptState(board) {
  const { data, state } = board;
  const wanted = FACETS.map(([key, , read]) => state.get(key) ?? read(data.series[data.headline]));
  board.series = nearestSeries(data, wanted);
  const { ways } = data.series[board.series];
  const way = state.get("aggregation");
  board.aggregation = ways.includes(way) ? way : data.series[board.series].usual;
}

// The series that agrees in the most facets, the first facets counting most.
function nearestSeries(data, wanted) {
  let best = data.headline;
  let most = -1;
  data.series.forEach((one, place) => {
    const score = FACETS.reduce((sum, [, , read], at) => sum + (read(one) === wanted[at] ? 2 ** (4 - at) : 0), 0);
    if (score > most) [best, most] = [place, score];
  });
  return best;
}

function showControls(board) {
  const { data, form, state } = board;
  const focused = document.activeElement?.closest("[data-facet]")?.dataset.facet;
  const current = data.series[board.series];
  const parts = [];
  let possible = data.series;
  for (const [key, label, read] of FACETS) {
    const options = [...new Set(possible.map(read))];
    possible = possible.filter((one) => read(one) === read(current));
    if (options.length < 2) continue;
    const shown = options.map((one) => [one, key === "references" ? one.replaceAll("+", ", ") : one]);
    const [field, select] = choice(label, shown, read(current));
    select.dataset.facet = key;
    select.addEventListener("change", () => {
      for (const [other, , get] of FACETS) state.set(other, get(current));
      state.set(key, select.value);
      state.delete("aggregation");
      adoptState(board);
      showBoard(board);
    });
    parts.push(field);
  }
  parts.push(aggregationField(board));
  if (board.body) parts.push(findField(board), boundsField(board));
  form.replaceChildren(...parts);
  if (focused) form.querySelector(`[data-facet="${focused}"]`)?.focus();
}

function aggregationField(board) {
  const ways = board.data.series[board.series].ways.map((one) => [one, one]);
  const [field, select] = choice("Aggregation", ways, board.aggregation);
  select.dataset.facet = "aggregation";
  select.addEventListener("change", () => {
    board.state.set("aggregation", select.value);
    board.aggregation = select.value;
    showBoard(board);
  });
  return field;
}

function findField(board) {
  const input = element("input", { type: "search", "data-facet": "find", value: board.state.get("find") ?? "" });
  input.addEventListener("input", () => {
    board.state.set("find", input.value);
    showRows(board);
  });
  return labelled("Find a model", input);
}

function boundsField(board) {
  const input = element("input", { type: "checkbox", "data-facet": "bounds" });
  input.checked = board.state.get("bounds") !== "no";
  input.addEventListener("change", () => {
    board.state.set("bounds", input.checked ? "" : "no");
    showRows(board);
  });
  return element("label", { class: "check" }, input, "Oracles and baselines");
}

async function showBoard(board) {
  board.note = "";
  showControls(board);
  await fetchBoards(board);
  tellChoice(board.series, board.aggregation);
  showRows(board);
}

// A site's index holds one board of some series; a file per series holds all of its boards.
async function fetchBoards(board) {
  const { data, series, aggregation } = board;
  if (data.boards[series][aggregation]) return;
  try {
    const answer = await fetch(`${data.more}${series}.json`);
    const { boards, gaps } = await answer.json();
    data.boards[series] = boards;
    data.gaps[series] = gaps;
  } catch {
    board.state.clear();
    adoptState(board);
    showControls(board);
    board.note = " Other boards need the site's server.";
  }
}

const SORTS = {
  rank: (row) => row.place,
  name: (row) => row.model.name.toLowerCase(),
  value: (row) => row.value,
  missing: (row) => row.missing,
  rtf: (row) => row.model.rtf,
  memory: (row) => row.model.memory,
  parameters: (row) => row.model.parameters,
};

function makeSortable(board) {
  for (const cell of document.querySelectorAll("#board th[data-sort]")) {
    const button = element("button", { type: "button", class: "sort" });
    button.append(...cell.childNodes);
    cell.append(button);
    button.addEventListener("click", () => {
      const key = cell.dataset.sort;
      const now = board.state.get("sort") ?? "rank";
      const first = key === "value" ? `-${key}` : key;
      const other = first === key ? `-${key}` : key;
      board.state.set("sort", now === first ? other : first);
      showRows(board);
    });
  }
}

function showRows(board) {
  if (!board.body) {
    writeState(board.state);
    return;
  }
  const rows = sortRows(filterRows(rankedRows(board), board), board);
  const text = (board.state.get("find") ?? "").toLowerCase();
  const cited = publishedRows(board.data, board.series, board.aggregation, text, board.state.get("bounds") !== "no");
  const bounds = rows
    .flatMap((row) => [row.value, row.low, row.high])
    .concat(cited.map(([, value]) => value))
    .filter((value) => value !== null);
  const axis = linearAxis(bounds, 6, 234);
  const tied = board.data.tied[board.series]?.[board.aggregation] ?? [];
  board.body.replaceChildren(
    ...byKind(rows).flatMap(([kind, own]) => [
      ...(kind ? [kindRow(kind)] : []),
      ...own.map((row) => tableRow(board.data, board.series, row, axis, tied.includes(row.index))),
    ]),
  );
  document.querySelector("[data-board-published]")?.replaceChildren(...cited.map((one) => publishedRow(one, axis)));
  showHead(board, axis, rows.length + cited.length);
  showGaps(board, rows);
  showWarning(board.data.series[board.series]);
  writeState(board.state);
}

// Masking and generative separators apart, where the metric cannot rank one kind against the other.
function byKind(rows) {
  const kinds = [...new Set(rows.map((row) => row.kind))].sort().reverse();
  return kinds.map((kind) => [kind, rows.filter((row) => row.kind === kind)]);
}

function kindRow(kind) {
  const text = `${kind[0].toUpperCase()}${kind.slice(1)} separators`;
  return element("tr", { class: "kind" }, element("th", { scope: "colgroup", colspan: "9" }, text));
}

function rankedRows(board) {
  const places = {};
  const { split, ranks } = board.data.series[board.series];
  return board.data.boards[board.series][board.aggregation].map((entry, at) => {
    const [index, value, low, high, tracks, expected, missing] = entry;
    const model = board.data.models[index];
    const ranked = ranks && model.ranked && value !== null;
    const kind = !split ? "" : model.generative ? "generative" : "masking";
    if (ranked) places[kind] = (places[kind] ?? 0) + 1;
    const rank = ranked ? String(places[kind]) : "–";
    return { index, model, value, low, high, tracks, expected, missing, place: at, kind, rank };
  });
}

function filterRows(rows, board) {
  const text = (board.state.get("find") ?? "").toLowerCase();
  const all = board.state.get("bounds") !== "no";
  return rows.filter((row) => row.model.name.toLowerCase().includes(text) && (all || row.model.ranked));
}

function sortRows(rows, board) {
  const chosen = board.state.get("sort") ?? "rank";
  const down = chosen.startsWith("-");
  const key = chosen.replace("-", "");
  const read = SORTS[key] ?? SORTS.rank;
  for (const cell of document.querySelectorAll("#board th[data-sort]")) {
    if (cell.dataset.sort === key) cell.setAttribute("aria-sort", down ? "descending" : "ascending");
    else cell.removeAttribute("aria-sort");
  }
  return rows.sort((a, b) => {
    const [x, y] = [read(a), read(b)];
    if (x === null || y === null) return Number(x === null) - Number(y === null) || a.place - b.place;
    const order = x < y ? -1 : Number(x > y);
    return (down ? -order : order) || a.place - b.place;
  });
}

function showHead(board, axis, count) {
  const one = board.data.series[board.series];
  document.querySelector("[data-board-caption]").textContent =
    `${one.protocol} ${one.metric} of ${one.target}${inUnit(one.unit)}: ${board.aggregation}.${board.note ?? ""}`;
  document.querySelector("[data-board-metric]").textContent = `${one.metric}${afterComma(one.unit)}`;
  const texts = axis.ticks.map((tick) =>
    drawing("text", { x: axis.place(tick).toFixed(2), y: 14 }, String(tick).replace("-", "−")),
  );
  const head = drawing("svg", { class: "whisker head", viewBox: "0 0 240 24", "aria-hidden": "true" }, ...texts);
  document.querySelector("[data-board-axis]").replaceChildren(head);
  document.querySelector("[data-status]").textContent = `${count} models shown.`;
}

const TIED = "Neither the paired test nor the interval of the difference distinguishes it from the leader.";

function tableRow(data, series, row, axis, tied) {
  const { model } = row;
  const number = (text, kind = "num") => element("td", { class: kind }, text);
  const badges = model.badges.flatMap(([key, label, meaning]) => [
    " ",
    element("span", { class: `badge badge-${key}`, title: meaning }, label),
  ]);
  if (tied) badges.push(" ", element("span", { class: "badge", title: TIED }, "not distinguishable from first"));
  const gap = gapText(data, series, row.index);
  const interval = row.low === null ? "–" : `${decimal(row.low)} to ${decimal(row.high)}`;
  return element(
    "tr",
    { class: model.ranked ? null : "bound" },
    number(row.rank, "num rank"),
    element("th", { scope: "row" }, modelSign(data, row.index), "\u00a0", linkedName(data, row.index), ...badges),
    element("td", { class: "num value", title: row.value === null ? gap || null : null }, decimal(row.value)),
    element("td", { class: "axis" }, whisker(data, row, axis)),
    number(interval, "num interval"),
    element("td", { class: "num gap", title: gap || null }, percentText(row.missing)),
    number(speedText(model.rtf), "num cost"),
    number(bytesText(model.memory), "num cost"),
    number(millionsText(model.parameters), "num cost"),
  );
}

// On a site a model's name leads to its page.
function linkedName(data, index) {
  const name = modelName(data, index);
  return data.more ? element("a", { class: "page", href: `models/${data.models[index].slug}.html` }, name) : name;
}

// Why a model lacks numbers here.
function gapText(data, series, index) {
  return data.gaps[series]?.[index] ?? "";
}

function showGaps(board, rows) {
  const list = document.querySelector("[data-gaps]");
  const notes = rows
    .map((row) => [row, gapText(board.data, board.series, row.index)])
    .filter(([, text]) => text)
    .map(([row, text]) => element("li", {}, modelName(board.data, row.index), `: ${text}`));
  list.replaceChildren(...notes);
  list.hidden = notes.length === 0;
  document.querySelector("[data-gaps-title]").hidden = notes.length === 0;
}

// The warning about silence holds for plain SDR, which gives zeros 0 dB, and for no other metric.
function showWarning(one) {
  const warning = document.querySelector("[data-plain-sdr]");
  if (warning) warning.hidden = !(one.protocol === "usdr" && one.metric === "SDR");
}

function whisker(data, row, axis) {
  const at = (value) => axis.place(value).toFixed(2);
  const parts = axis.ticks.map((tick) => drawing("line", { class: "grid", x1: at(tick), x2: at(tick), y1: 0, y2: 24 }));
  if (row.low !== null && row.high !== null) {
    parts.push(drawing("line", { class: "bar", x1: at(row.low), x2: at(row.high), y1: 12, y2: 12 }));
  }
  if (row.value !== null) {
    const d = data.shapes[row.index % data.shapes.length];
    parts.push(drawing("path", { class: "dot", transform: `translate(${at(row.value)} 12)`, d }));
  }
  return drawing("svg", { class: `whisker c${row.index % 8}`, viewBox: "0 0 240 24", "aria-hidden": "true" }, ...parts);
}
