// Elements: made, found and filled. Text comes in as text, never as HTML: names of keys are bytes
// of clients.

/**
 * The element with that id, which the page has.
 * @param {string} id
 * @returns {HTMLElement}
 */
export function byId(id) {
  const element = document.getElementById(id);
  if (element === null) throw new Error(`The page has no element ${id}`);
  return element;
}

/**
 * Makes an element.
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, string>} attributes `text` is its text.
 * @param {readonly Node[]} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function make(tag, attributes = {}, children = []) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "text") element.textContent = value;
    else element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

/**
 * Sets the text of an element, if it is another one: a selection in it stays.
 * @param {Element} element
 * @param {string} text
 */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/**
 * One of a list's elements.
 * @template Item
 * @typedef {object} Row
 * @property {HTMLElement} root
 * @property {(item: Item) => void} fill
 */

/**
 * Shows `items` as children of `list`, and keeps the element of each from one time to the next.
 * @template Item
 * @param {HTMLElement} list
 * @param {Map<string, Row<Item>>} rows Those that there are, by key; belongs to this list.
 * @param {readonly Item[]} items
 * @param {(item: Item) => string} keyOf
 * @param {(item: Item) => Row<Item>} makeRow
 */
export function showList(list, rows, items, keyOf, makeRow) {
  const keys = new Set(items.map(keyOf));
  for (const [key, { root }] of rows) {
    if (keys.has(key)) continue;
    root.remove();
    rows.delete(key);
  }
  items.forEach((item, at) => {
    const key = keyOf(item);
    const row = rows.get(key) ?? makeRow(item);
    rows.set(key, row);
    row.fill(item);
    const there = list.children[at];
    if (there !== row.root) list.insertBefore(row.root, there ?? null);
  });
}

/**
 * A bar of parts side by side, each as wide as its share.
 * @param {readonly (readonly [name: string, colour: string])[]} parts
 * @returns {{ root: HTMLElement, fill: (shares: readonly number[]) => void }}
 */
export function makeBar(parts) {
  const pieces = parts.map(([name, colour]) => {
    const piece = make("span", { class: "bar-part", title: name });
    piece.style.setProperty("--part", `var(${colour})`);
    return piece;
  });
  return {
    root: make("div", { class: "bar", "aria-hidden": "true" }, pieces),
    fill: (shares) =>
      pieces.forEach((piece, at) => {
        piece.style.width = `${(100 * Math.min(1, Math.max(0, shares[at] ?? 0))).toFixed(2)}%`;
      }),
  };
}
