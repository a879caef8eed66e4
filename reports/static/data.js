// The numbers that travel in the page, and how they are written.

export function readData() {
  const block = document.getElementById("data");
  return block ? JSON.parse(block.textContent) : null;
}

export function decimal(value, digits = 2) {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  const text = value.toFixed(digits);
  return (Number(text) === 0 ? text.replace("-", "") : text).replace("-", "−");
}

export function signedDecimal(value, digits = 2) {
  const text = decimal(value, digits);
  return text === "–" || text.startsWith("−") || Number(text) === 0 ? text : `+${text}`;
}

// The unit in a sentence, and after a metric's name; "1" stands for plain numbers.
export function inUnit(unit) {
  return unit === "1" ? "" : ` in ${unit}`;
}

export function afterComma(unit) {
  return unit === "1" ? "" : `, ${unit}`;
}

export function percentText(share) {
  if (share === null) return "–";
  if (share > 0 && share < 0.001) return "<0.1%";
  return share < 0.1 ? `${(share * 100).toFixed(1)}%` : `${Math.round(share * 100)}%`;
}

// A real-time factor as speed: "14x" is 14 times faster than real time.
export function speedText(factor) {
  if (factor === null) return "–";
  if (factor * 1000 < 1) return ">1000x";
  const times = 1 / factor;
  return times >= 10 ? `${times.toFixed(0)}x` : `${Number(times.toPrecision(2))}x`;
}

export function bytesText(size) {
  if (size === null) return "–";
  return size >= 1e9 ? `${(size / 1e9).toFixed(1)} GB` : `${(size / 1e6).toFixed(0)} MB`;
}

export function millionsText(size) {
  if (size === null) return "–";
  if (size >= 1e6) return `${(size / 1e6).toFixed(1)} M`;
  return size >= 1e3 ? `${(size / 1e3).toFixed(0)} k` : String(size);
}
