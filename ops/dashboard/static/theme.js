// Light or dark: as the system says, until the button says otherwise. In the head, so that no page flashes.
"use strict";
(() => {
  const KEY = "traverse-ops-theme";
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");
  let chosen = null;
  try {
    chosen = localStorage.getItem(KEY);
  } catch {
    // Storage is refused: the choice lasts for the page.
  }
  const isDark = () => (chosen ? chosen === "dark" : system.matches);
  const apply = () => {
    if (chosen === "dark" || chosen === "light") root.dataset.theme = chosen;
    const button = document.getElementById("theme");
    if (button) button.textContent = isDark() ? "Thème clair" : "Thème sombre";
  };
  apply();
  system.addEventListener("change", apply);
  document.addEventListener("DOMContentLoaded", () => {
    const button = document.getElementById("theme");
    button.hidden = false;
    button.addEventListener("click", () => {
      chosen = isDark() ? "light" : "dark";
      try {
        localStorage.setItem(KEY, chosen);
      } catch {
        // As above.
      }
      apply();
    });
    apply();
  });
})();
