// The pictures of docs/observing.md, of the made-up server, so that there is something to see.
// deno-lint-ignore-file no-console

import type { Browser, BrowserContextOptions } from "playwright-core";
import { startFakeServer } from "./fake_server.ts";

const FOLDER = new URL("../../docs/screenshots/", import.meta.url).pathname;
const DESK = { viewport: { width: 1280, height: 960 } };
const PHONE = { viewport: { width: 360, height: 760 }, deviceScaleFactor: 1.5 };

/** A picture: its name, the browser, and the section that it begins with. */
const PICTURES: readonly (readonly [string, BrowserContextOptions, string])[] = [
  ["light", { ...DESK, colorScheme: "light" }, "overview"],
  ["dark", { ...DESK, colorScheme: "dark" }, "latency"],
  ["phone", { ...PHONE, colorScheme: "light" }, "overview"],
];

/** Takes all of them. */
export async function takeScreenshots(browser: Browser): Promise<void> {
  await Deno.mkdir(FOLDER, { recursive: true });
  const server = startFakeServer();
  for (const [name, options, section] of PICTURES) {
    const page = await browser.newPage({ ...options, reducedMotion: "reduce" });
    await page.goto(server.url);
    await page.waitForSelector("#hot-keys li:nth-child(20)");
    if (section !== "overview") await page.click(`nav a[href="#${section}"]`);
    await page.mouse.move(0, 0);
    await page.waitForTimeout(1500);
    const path = `${FOLDER}${name}.png`;
    await page.screenshot({ path });
    await page.close();
    console.log(`${path}: ${Math.round((await Deno.stat(path)).size / 1000)} KB`);
  }
  await server.stop();
}
