// The section about item memory: all of it as one bar, and a bar for each slab class.

import { byId, make, makeBar, setText, showList } from "./dom.js";
import { bytes, compact, percent, whole } from "./format.js";
import { classMemory, memoryWords, totalMemory } from "./slab_memory.js";
import { numberOf } from "./stats_event.js";

/** @typedef {import("./slab_memory.js").ClassMemory} ClassMemory */

/** What a bar is made of, left to right. */
const PARTS = /** @type {const} */ ([
  ["hot", "HOT", "--red", "Items that are new"],
  ["warm", "WARM", "--orange", "Items asked for again and again"],
  ["cold", "COLD", "--blue", "All others; evicted from here"],
  ["temp", "TEMP", "--violet", "Items that expire soon"],
  ["wasted", "wasted", "--hatch", "Room in chunks that their items do not need"],
  ["free", "free chunks", "--free", "Chunks without an item"],
]);
const UNASSIGNED = /** @type {const} */ (["unassigned", "no class yet", "--unassigned"]);

/** @type {readonly (readonly [string, string])[]} */
const CLASS_BAR = PARTS.map(([, name, colour]) => [name, colour]);
/** @type {readonly (readonly [string, string])[]} */
const TOTAL_BAR = [...CLASS_BAR, [UNASSIGNED[1], UNASSIGNED[2]]];

/**
 * Makes the section; what is returned fills it.
 * @returns {(stats: import("./stats_event.js").Stats) => void}
 */
export function makeMemorySection() {
  const total = makeBar(TOTAL_BAR);
  const legend = TOTAL_BAR.map(([name, colour], at) => {
    const swatch = make("span", { class: "swatch", "aria-hidden": "true" });
    swatch.style.setProperty("--part", `var(${colour})`);
    const value = make("dd");
    const term = make("dt", {}, [swatch, document.createTextNode(name)]);
    const hint = PARTS[at]?.[3] ?? "Pages that no class has yet";
    return { root: make("div", { title: hint }, [term, value]), value };
  });
  byId("memory-total").replaceChildren(
    total.root,
    make("dl", { class: "legend" }, legend.map(({ root }) => root)),
  );
  const rows = /** @type {Map<string, import("./dom.js").Row<ClassMemory>>} */ (new Map());
  return (stats) => {
    const classes = classMemory(stats);
    const limit = numberOf(stats.general, "limit_maxbytes");
    const { parts, taken, unassigned } = totalMemory(classes, limit);
    const counts = [...PARTS.map(([part]) => parts[part]), unassigned];
    total.fill(counts.map((count) => count / (taken + unassigned)));
    legend.forEach(({ value }, at) => setText(value, bytes(counts[at] ?? null)));
    setText(byId("memory-words"), memoryWords(classes, limit));
    const largest = Math.max(...classes.map(({ pages }) => pages), 1);
    showList(byId("memory-classes"), rows, classes, ({ slab }) => slab, () => makeClass());
    byId("memory-classes").style.setProperty("--largest", String(largest));
  };
}

/** @returns {import("./dom.js").Row<ClassMemory>} */
function makeClass() {
  const bar = makeBar(CLASS_BAR);
  const [name, size, words] = [make("b"), make("span"), make("span", { class: "class-words" })];
  const head = make("div", { class: "class-head" }, [name, size, words]);
  const track = make("div", { class: "class-track" }, [bar.root]);
  return {
    root: make("li", { class: "class" }, [head, track]),
    fill: ({ slab, chunkBytes, pages, items, bytes: all, parts }) => {
      setText(name, `Class ${slab}`);
      setText(size, `chunks of ${bytes(chunkBytes)}`);
      const used = all === 0 ? 0 : 1 - parts.free / all;
      setText(
        words,
        `${whole(pages)} ${pages === 1 ? "page" : "pages"} · ${compact(items)} items · ` +
          `${percent(used)} used`,
      );
      track.style.setProperty("--pages", String(pages));
      bar.fill(PARTS.map(([part]) => all === 0 ? 0 : parts[part] / all));
    },
  };
}
