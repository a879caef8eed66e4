// Linear axes with ticks at round numbers, as the page is drawn with before any script runs.

export function linearAxis(values, start, end, count = 4) {
  let low = Math.min(...values);
  let high = Math.max(...values);
  if (!values.length) [low, high] = [0, 1];
  if (high - low < 1e-9) [low, high] = [low - 0.5, high + 0.5];
  const space = (high - low) * 0.04;
  const step = roundStep((high - low + 2 * space) / count);
  low -= space;
  high += space;
  const ticks = [];
  for (let k = Math.ceil(low / step - 1e-9); k <= Math.floor(high / step + 1e-9); k += 1) {
    ticks.push(Number((k * step).toFixed(10)));
  }
  const place = (value) => start + Math.min(1, Math.max(0, (value - low) / (high - low))) * (end - start);
  return { ticks, place };
}

function roundStep(rough) {
  const power = 10 ** Math.floor(Math.log10(rough));
  for (const factor of [1, 2, 5]) if (rough <= factor * power * 1.0000001) return factor * power;
  return 10 * power;
}
