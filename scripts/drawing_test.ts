// The drawing groups folders, leaves shortcuts out and marks circles.

import { assertEquals } from "@std/assert";
import { circlesText, drawingOf } from "./drawing.ts";

const graph = (edges: Readonly<Record<string, string>>) =>
  new Map(Object.entries(edges).map(([from, to]) => [from, to.split(" ").filter(Boolean)]));

Deno.test("drawingOf() draws folders in boxes, and no shortcut", () => {
  const folders = graph({
    "lib": "lib/net",
    "lib/base": "",
    "lib/net": "lib/net/udp lib/base",
    "lib/net/udp": "lib/base",
  });
  assertEquals(
    drawingOf(folders),
    `flowchart TD
  lib_["mod.ts"]
  lib_base_["base"]
  subgraph lib_net_box["net/"]
    lib_net_["net"]
    lib_net_udp_["udp"]
  end
  lib_ --> lib_net_
  lib_net_ --> lib_net_udp_
  lib_net_udp_ --> lib_base_`,
  );
  assertEquals(circlesText(folders), "There is no circle.");
});

Deno.test("drawingOf() draws the edges of a circle thick, and circlesText() names it", () => {
  const folders = graph({ "lib/a": "lib/b", "lib/b": "lib/a lib/c", "lib/c": "" });
  const edges = drawingOf(folders).split("\n").slice(4);
  assertEquals(edges, ["  lib_a_ ==> lib_b_", "  lib_b_ ==> lib_a_", "  lib_b_ --> lib_c_"]);
  assertEquals(circlesText(folders), "Circles: `a` → `b` → `a`.");
});
