// The players of the page: buttons and keys around an Engine each.
import { blindTest } from "./abx.js";
import { element } from "./elements.js";
import { Engine } from "./engine.js";

const players = [];
let lastUsed = null; // the player that the keys are for

export function startPlayers() {
  for (const root of document.querySelectorAll("[data-player]")) players.push(makePlayer(root));
  for (const drawn of document.querySelectorAll(".timeline[data-track]")) {
    const player = players.find((one) => one.track === drawn.dataset.track);
    if (player) drawn.addEventListener("click", (event) => jumpByClick(event, drawn, player));
  }
  for (const button of document.querySelectorAll("[data-jump]")) {
    const [at, model] = [Number(button.dataset.jump), button.dataset.model];
    const player = players.find((one) => one.track === button.dataset.track && one.holds(at));
    if (!player) continue;
    button.hidden = false;
    button.addEventListener("click", () => player.jump(at, model));
  }
  document.addEventListener("keydown", (event) => {
    const inside = event.target.closest?.("[data-player]");
    const player = inside ? players.find((one) => one.root === inside) : lastUsed;
    if (player?.key(event)) event.preventDefault();
  });
}

function jumpByClick(event, drawn, player) {
  const box = drawn.viewBox.baseVal;
  const inside = drawn.getBoundingClientRect();
  const x = box.x + ((event.clientX - inside.left) / inside.width) * box.width;
  const seconds = (x / (box.x + box.width)) * Number(drawn.dataset.length);
  if (x >= 0 && player.holds(seconds)) player.jump(seconds, null);
}

function soundOf(item) {
  const { kind, model, gain } = item.dataset;
  const label = item.querySelector(".what").textContent.replace(/\s+/g, " ").trim();
  return { kind, model, label, gain: Number(gain), url: item.querySelector("audio").src, sign: item.querySelector("svg") };
}

function makePlayer(root) {
  const sounds = [...root.querySelectorAll(".sounds li")].map(soundOf);
  const engine = new Engine(sounds.map((sound) => sound.url), sounds.map((sound) => sound.gain));
  const start = Number(root.dataset.start);
  const length = Number(root.dataset.length);
  const deck = root.querySelector(".deck");
  const play = element("button", { type: "button", class: "play", "aria-pressed": "false" }, "Play");
  const seek = slider("Position", 0, length, 0);
  const from = slider("Loop from", 0, length, 0);
  const to = slider("Loop to", 0, length, length);
  const clock = element("output", { class: "clock" }, "0.0 s");
  const match = element("input", { type: "checkbox" });
  match.checked = true;
  const buttons = sounds.map((sound, place) => soundButton(sound, place));

  const showPlaying = () => {
    play.textContent = engine.playing ? "Pause" : "Play";
    play.setAttribute("aria-pressed", String(engine.playing));
  };
  const choose = (place, blind = false) => {
    engine.select(place);
    buttons.forEach((button, at) => button.setAttribute("aria-pressed", String(!blind && at === place)));
  };
  // While the audio is decoded the button keeps the focus: it is busy, not disabled.
  let decoding = false;
  const toggle = async (on = !engine.playing) => {
    if (decoding) return;
    lastUsed = player;
    if (on) {
      for (const other of players) if (other.engine !== engine) other.stop();
      decoding = true;
      play.setAttribute("aria-busy", "true");
      try {
        await engine.play();
      } finally {
        decoding = false;
        play.removeAttribute("aria-busy");
      }
      requestAnimationFrame(tick);
    } else engine.pause();
    showPlaying();
  };
  const tick = () => {
    const at = engine.position();
    seek.input.value = at.toFixed(2);
    clock.textContent = `${at.toFixed(1)} s`;
    if (engine.playing) requestAnimationFrame(tick);
  };
  const hear = async (place, blind = false) => {
    choose(place, blind);
    if (!engine.playing) await toggle(true);
  };
  const region = async (low, high) => {
    await engine.prepare();
    const begin = Math.min(low, high - 0.2);
    from.input.value = Math.max(0, begin).toFixed(2);
    to.input.value = high.toFixed(2);
    await engine.setRegion(Math.max(0, begin), Math.min(high, engine.duration));
  };

  play.addEventListener("click", () => toggle());
  buttons.forEach((button, place) =>
    button.addEventListener("click", () => {
      lastUsed = player;
      choose(place);
    }),
  );
  seek.input.addEventListener("input", () => engine.prepare().then(() => engine.seek(Number(seek.input.value))).then(tick));
  from.input.addEventListener("change", () => region(Number(from.input.value), Number(to.input.value)));
  to.input.addEventListener("change", () => region(Number(from.input.value), Number(to.input.value)));
  match.addEventListener("change", () => engine.match(match.checked));
  const key = (event) => {
    const typing = event.target.matches("select, textarea, input[type=search]");
    if (typing || event.ctrlKey || event.metaKey || event.altKey) return false;
    const here = root.contains(event.target);
    const version = "1234567890".indexOf(event.key);
    if (here && event.key === " " && !event.target.matches("button, summary, input[type=checkbox]")) toggle();
    else if (event.key === "p") toggle();
    else if (version >= 0 && buttons[version]) choose(version);
    else if (event.key === "[") region(engine.position(), Number(to.input.value));
    else if (event.key === "]") region(Number(from.input.value), engine.position());
    else return false;
    return true;
  };

  deck.append(
    element("div", { class: "transport" }, play, seek.field, clock),
    element("div", { class: "versions", role: "group", "aria-label": "Version to hear" }, ...versionRows(sounds, buttons)),
    element("div", { class: "controls" }, from.field, to.field, element("label", { class: "check" }, match, "Match loudness")),
    element("p", { class: "note keys" }, "Keys: ", element("kbd", {}, "p"), " plays, ", element("kbd", {}, "1"), " to ", element("kbd", {}, sounds.length > 9 ? "0" : String(sounds.length)), " switch, ", element("kbd", {}, "["), " and ", element("kbd", {}, "]"), " set the loop."),
    blindTest(engine, sounds, hear),
  );
  root.classList.add("ready");
  const reference = sounds.findIndex((sound) => sound.kind === "estimate");
  choose(Math.max(0, reference));
  root.player = { engine, choose, toggle };
  const player = {
    root,
    engine,
    key,
    track: root.dataset.track,
    holds: (seconds) => seconds >= start - 0.01 && seconds < start + length - 0.05,
    stop: () => {
      if (engine.playing) toggle(false);
    },
    jump: async (seconds, model) => {
      const place = sounds.findIndex((sound) => sound.kind === "estimate" && sound.model === model);
      if (place >= 0) choose(place);
      root.scrollIntoView({ block: "center" });
      play.focus({ preventScroll: true });
      await engine.prepare();
      await engine.seek(Math.max(0, seconds - start));
      await toggle(true);
    },
  };
  return player;
}

function slider(label, low, high, value) {
  const input = element("input", { type: "range", min: low, max: high.toFixed(2), step: 0.01, value });
  return { input, field: element("label", { class: "slider" }, label, input) };
}

function soundButton(sound, place) {
  const text = sound.kind === "estimate" ? "Estimate" : sound.kind === "residual" ? "Residual" : sound.label;
  const key = place < 10 ? element("kbd", { "aria-hidden": "true" }, String((place + 1) % 10)) : null;
  const whose = sound.model ? element("span", { class: "visually-hidden" }, ` (${sound.label})`) : null;
  return element("button", { type: "button", "aria-pressed": "false" }, text, whose, " ", key);
}

function versionRows(sounds, buttons) {
  const rows = new Map();
  sounds.forEach((sound, place) => {
    const key = sound.model || "";
    if (!rows.has(key)) rows.set(key, []);
    rows.get(key).push(place);
  });
  return [...rows].map(([key, places]) => {
    const head = element("span", { class: "who" });
    if (key) {
      const { sign, label } = sounds[places[0]];
      head.append(sign.cloneNode(true), " ", element("bdi", { class: "name" }, label));
    } else head.append("Original");
    return element("div", { class: "version-row" }, head, ...places.map((place) => buttons[place]));
  });
}
