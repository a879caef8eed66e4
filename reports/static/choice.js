// What the reader chose above the leaderboard, told to every part of the page that can follow.

const listeners = [];

export function onChoice(listener) {
  listeners.push(listener);
}

export function tellChoice(series, aggregation) {
  for (const listener of listeners) listener(series, aggregation);
}

// The values on every track behind a series under an aggregation: frames by their mean or median.
export function trackValues(data, series, aggregation) {
  const held = data.values[series];
  return aggregation.includes("frame means") && held.mean ? held.mean : held.median;
}

export function seriesText(one) {
  return `${one.protocol} ${one.metric} of ${one.target}`;
}
