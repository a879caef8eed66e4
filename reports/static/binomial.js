// How likely that many right answers or more are for somebody who only guesses.

export function guessingProbability(right, trials) {
  let term = 0.5 ** trials;
  let below = 0;
  for (let hits = 0; hits < right; hits += 1) {
    below += term;
    term *= (trials - hits) / (hits + 1);
  }
  return Math.min(1, Math.max(0, 1 - below));
}
