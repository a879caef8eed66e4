// What the reader chose, kept in the URL's hash so that a link shows the same view.

export function readState() {
  const text = window.location.hash.slice(1);
  return new Map(text.includes("=") ? new URLSearchParams(text) : []);
}

export function writeState(state) {
  const kept = [...state].filter(([, value]) => value !== "");
  const text = new URLSearchParams(kept).toString();
  const target = text ? `#${text}` : window.location.pathname + window.location.search;
  window.history.replaceState(null, "", target);
}

// A link to a section must not throw the choice away: both go into the hash.
export function keepStateOnJumps(state) {
  document.addEventListener("click", (event) => {
    const link = event.target.closest('a[href^="#"]');
    const section = link && document.getElementById(link.getAttribute("href").slice(1));
    if (!section) return;
    event.preventDefault();
    section.scrollIntoView();
    const focus = section.matches("main") ? section : (section.querySelector("h1, h2") ?? section);
    focus.setAttribute("tabindex", "-1");
    focus.focus({ preventScroll: true });
    state.set("at", section.id === "main" ? "" : section.id);
    writeState(state);
  });
  const wanted = state.get("at");
  if (wanted) document.getElementById(wanted)?.scrollIntoView();
}
