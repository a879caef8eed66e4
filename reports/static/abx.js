// A blind test: is X the same as A or as B? Answers are told only at the end.
import { guessingProbability } from "./binomial.js";
import { choice, element } from "./elements.js";

const TRIALS = 12;

export function blindTest(engine, sounds, hear) {
  const options = sounds.map((sound, place) => [String(place), sound.label]);
  const estimates = sounds.map((sound, place) => [sound, place]).filter(([sound]) => sound.kind === "estimate");
  const first = String(estimates[0]?.[1] ?? 0);
  const second = String(estimates[1]?.[1] ?? 1);
  const [fieldA, selectA] = choice("A", options, first);
  const [fieldB, selectB] = choice("B", options, second);
  const start = element("button", { type: "button" }, `Start ${TRIALS} trials`);
  const setup = element("div", { class: "controls" }, fieldA, fieldB, start);
  const stage = element("div", { class: "abx-stage", role: "group", "aria-label": "Blind test" });
  const told = element("p", { class: "abx-told", role: "status" });
  const test = { right: 0, done: 0, x: 0 };

  const button = (label, act, key) => {
    const made = element("button", { type: "button", "data-abx": key }, label);
    made.addEventListener("click", act);
    return made;
  };
  const places = () => [Number(selectA.value), Number(selectB.value)];
  const draw = () => {
    test.x = crypto.getRandomValues(new Uint8Array(1))[0] & 1;
    told.textContent = `Trial ${test.done + 1} of ${TRIALS}.`;
  };
  const answer = (given) => {
    test.right += Number(given === test.x);
    test.done += 1;
    if (test.done < TRIALS) return draw();
    const p = guessingProbability(test.right, test.done);
    const words = p < 0.05 ? "you hear a difference" : "no difference was heard beyond guessing";
    const text = p < 0.001 ? "< 0.001" : `= ${p.toFixed(3)}`;
    told.textContent = `${test.right} of ${test.done} right, binomial p ${text}: ${words}.`;
    stage.replaceChildren();
    setup.hidden = false;
    return undefined;
  };

  start.addEventListener("click", async () => {
    if (selectA.value === selectB.value) {
      told.textContent = "Choose two different versions.";
      return;
    }
    Object.assign(test, { right: 0, done: 0 });
    setup.hidden = true;
    engine.match(true);
    stage.replaceChildren(
      button("Hear A", () => hear(places()[0]), "a"),
      button("Hear B", () => hear(places()[1]), "b"),
      button("Hear X", () => hear(places()[test.x], true), "x"),
      button("X is A", () => answer(0), "is-a"),
      button("X is B", () => answer(1), "is-b"),
    );
    draw();
    stage.querySelector("button").focus();
    await hear(places()[test.x], true);
  });
  return element(
    "details",
    { class: "abx" },
    element("summary", {}, "Blind test (ABX)"),
    element("p", { class: "note" }, "Can you tell two versions apart? X is one of them, chosen at random in each trial."),
    setup,
    stage,
    told,
  );
}
