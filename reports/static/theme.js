// Light or dark: as the system says, until the reader says otherwise.

export function startTheme() {
  const button = document.querySelector("[data-theme-toggle]");
  if (!button) return;
  const system = window.matchMedia("(prefers-color-scheme: dark)");
  const show = () => {
    const chosen = document.documentElement.dataset.theme;
    button.setAttribute("aria-pressed", String(chosen ? chosen === "dark" : system.matches));
  };
  button.addEventListener("click", () => {
    const dark = button.getAttribute("aria-pressed") === "true";
    document.documentElement.dataset.theme = dark ? "light" : "dark";
    show();
  });
  system.addEventListener("change", show);
  show();
}
