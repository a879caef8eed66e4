// Copy a table as CSV, Markdown or LaTeX.
import { element } from "./elements.js";

const FORMATS = { CSV: asCsv, Markdown: asMarkdown, LaTeX: asLatex };

export function startCopies() {
  for (const place of document.querySelectorAll("[data-copies]")) {
    const table = document.getElementById(place.dataset.copies);
    if (!table) continue;
    for (const [name, write] of Object.entries(FORMATS)) {
      const button = element("button", { type: "button" }, `Copy as ${name}`);
      button.addEventListener("click", () => offerText(write(tableCells(table)), name, button));
      place.append(button);
    }
  }
}

// Rows of text as they stand on the page now; drawings have none, and their columns go.
export function tableCells(table) {
  const rows = [...table.querySelectorAll("tr")].map((row) => [...row.cells].map(cellText));
  const width = Math.max(...rows.map((row) => row.length));
  const kept = [...Array(width).keys()].filter((column) => !table.rows[0].cells[column]?.classList.contains("axis"));
  return rows.map((row) => kept.map((column) => row[column] ?? ""));
}

function cellText(cell) {
  const copy = cell.cloneNode(true);
  for (const part of copy.querySelectorAll("svg, small, .badge")) part.remove();
  return copy.textContent.replace(/\s+/g, " ").trim();
}

const plainMinus = (text) => text.replace(/−/g, "-");

export function asCsv(rows) {
  const quoted = (text) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  return rows.map((row) => row.map((text) => quoted(plainMinus(text))).join(",")).join("\n");
}

export function asMarkdown(rows) {
  const line = (row) => `| ${row.map((text) => text.replaceAll("|", "\\|").replaceAll("<", "&lt;")).join(" | ")} |`;
  const [head, ...rest] = rows;
  return [line(head), `|${head.map((_, at) => (at ? " ---: |" : " --- |")).join("")}`, ...rest.map(line)].join("\n");
}

const LATEX = {
  "\\": "\\textbackslash{}", "&": "\\&", "%": "\\%", $: "\\$", "#": "\\#", _: "\\_", "{": "\\{", "}": "\\}",
  "~": "\\textasciitilde{}", "^": "\\textasciicircum{}", "−": "$-$", "–": "--", "×": "$\\times$", "<": "$<$", ">": "$>$",
};

export function asLatex(rows) {
  const safe = (text) => text.replace(/[\\&%$#_{}~^−–×<>]/g, (sign) => LATEX[sign]);
  const line = (row) => `${row.map(safe).join(" & ")} \\\\`;
  const [head, ...rest] = rows;
  const columns = head.map((_, at) => (at ? "r" : "l")).join("");
  return [
    "% needs \\usepackage{booktabs}",
    `\\begin{tabular}{${columns}}`,
    "\\toprule",
    line(head),
    "\\midrule",
    ...rest.map(line),
    "\\bottomrule",
    "\\end{tabular}",
  ].join("\n");
}

async function offerText(text, name, button) {
  try {
    await navigator.clipboard.writeText(text);
    const label = button.textContent;
    button.textContent = "Copied";
    setTimeout(() => (button.textContent = label), 1500);
  } catch {
    showText(text, name);
  }
}

// Where a browser keeps the clipboard from pages on disk, the text stands there selected.
function showText(text, name) {
  const area = element("textarea", { "aria-label": `The table as ${name}`, readonly: true });
  area.value = text;
  const close = element("button", { type: "button" }, "Close");
  const dialog = element("dialog", { "aria-label": `Copy as ${name}` }, area, close);
  close.addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  area.select();
}
