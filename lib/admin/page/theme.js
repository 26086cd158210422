// Light or dark: as the system has it, until the reader chooses. A plain script, run before the
// page is drawn; where nothing can be kept, the choice lasts as long as the page.

"use strict";

{
  const KEPT_AS = "memden-theme";
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");

  /** @param {string | null} theme */
  const show = (theme) => {
    const isKnown = theme === "light" || theme === "dark";
    root.dataset.theme = isKnown ? theme : system.matches ? "dark" : "light";
    document.dispatchEvent(new Event("themechange"));
  };
  let chosen = /** @type {string | null} */ (null);
  show(chosen);
  system.addEventListener("change", () => show(chosen));
  document.addEventListener("themewish", () => {
    chosen = root.dataset.theme === "dark" ? "light" : "dark";
    show(chosen);
    localStorage.setItem(KEPT_AS, chosen);
  });
  // Last, as a browser that keeps nothing throws here.
  chosen = localStorage.getItem(KEPT_AS);
  show(chosen);
}
