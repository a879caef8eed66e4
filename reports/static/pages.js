// The lists of pages of models and tracks on the index of a site: show those whose name has a text.
import { element, labelled } from "./elements.js";

export function startPageSearch() {
  const place = document.querySelector("[data-find-pages]");
  if (!place) return;
  const entries = [...document.querySelectorAll("[data-pages] li")].map((entry) => [entry, entry.textContent.toLowerCase()]);
  const input = element("input", { type: "search" });
  input.addEventListener("input", () => {
    const text = input.value.trim().toLowerCase();
    for (const [entry, name] of entries) entry.hidden = !name.includes(text);
  });
  place.replaceChildren(labelled("Find a page of a model or track", input));
}
