// Shows the tests of the chosen target; those of the others stay folded away.
import { onChoice } from "./choice.js";

export function startRounds(data) {
  const all = [...document.querySelectorAll("[data-round]")];
  if (all.length < 2) return;
  const told = (place) => data.series[Number(place)];
  const show = (series) => {
    const chosen = data.series[series];
    const score = (one) =>
      4 * (one.dataset === chosen.dataset) + 2 * (one.target === chosen.target) + (one.references === chosen.references);
    const best = all.reduce((a, b) => (score(told(b.dataset.round)) > score(told(a.dataset.round)) ? b : a));
    for (const one of all) {
      one.open = one === best;
      one.classList.toggle("chosen-round", one === best);
    }
  };
  onChoice(show);
}
