// Keys that act by themselves, without Ctrl or Alt: who speaks to the computer, or hits keys by
// chance, can switch them off. What the page says of them goes, too.

import { byId } from "./dom.js";

const KEPT_AS = "memden-shortcuts";
/** Says which key an element has, to programs that read the page aloud. */
const HINT = "aria-keyshortcuts";

/**
 * Lets keys act where nothing is being typed, as long as the switch is on.
 *
 * To be called last, as a browser that keeps nothing throws here: the keys work all the same.
 * @param {Record<string, () => void>} acts By key.
 */
export function listenToKeys(acts) {
  const choice = /** @type {HTMLInputElement} */ (byId("shortcuts"));
  const search = /** @type {HTMLInputElement} */ (byId("settings-search"));
  const hinted = [...document.querySelectorAll(`[${HINT}]`)].map((
    element,
  ) => /** @type {const} */ ([element, element.getAttribute(HINT) ?? ""]));
  const hintedSearch = search.placeholder;

  /** @param {boolean} isOn */
  const show = (isOn) => {
    choice.checked = isOn;
    document.body.classList.toggle("no-shortcuts", !isOn);
    for (const [element, key] of hinted) {
      if (isOn) element.setAttribute(HINT, key);
      else element.removeAttribute(HINT);
    }
    search.placeholder = isOn ? hintedSearch : "Search";
  };
  choice.addEventListener("change", () => {
    show(choice.checked);
    localStorage.setItem(KEPT_AS, choice.checked ? "on" : "off");
  });
  document.addEventListener("keydown", (event) => {
    const { key, target, ctrlKey, metaKey, altKey } = event;
    if (!choice.checked || ctrlKey || metaKey || altKey) return;
    if (target instanceof HTMLInputElement && target.type === "search") return;
    if (target instanceof HTMLSelectElement) return;
    const act = acts[key];
    if (act === undefined) return;
    event.preventDefault();
    act();
  });
  show(true);
  show(localStorage.getItem(KEPT_AS) !== "off");
}
