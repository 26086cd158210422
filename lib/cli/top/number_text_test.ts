import { assert, assertEquals } from "@std/assert";
import { ageText, ASCII, bar, BLOCKS, bytesText, countText, historyLine } from "./number_text.ts";
import { shareText, uptimeText } from "./number_text.ts";

Deno.test("countText() and bytesText() are short", () => {
  const counts = [0, 0.26, 7, 99.96, 100.4, 1024, 99_999.4, 99_999.6, 123_456, 999_499, 999_500];
  assertEquals(
    counts.map(countText),
    ["0", "0.3", "7", "100", "100", "1024", "99999", "100k", "123k", "999k", "1.0M"],
  );
  const bytes = [0, 512, 999, 1023, 1536, 64 * 2 ** 20, 2 ** 40];
  assertEquals(bytes.map(bytesText), ["0", "512", "999", "1.0k", "1.5k", "64.0M", "1.0T"]);
});

Deno.test("every number takes at most five columns, whatever it is", () => {
  for (let exponent = -3; exponent < 308; exponent += 0.25) {
    const number = 10 ** exponent;
    for (const text of [countText(number), bytesText(number), ageText(number)]) {
      assert(text.length <= 5, `${number}: ${text}`);
    }
    assert(shareText(number).length <= 6, `${number}: ${shareText(number)}`);
    assert(uptimeText(number).length <= 15, `${number}: ${uptimeText(number)}`);
  }
});

Deno.test("shareText() says 100% only of all", () => {
  assertEquals([0, 0.9711, 0.99999, 1].map(shareText), ["0.0%", "97.1%", "99.9%", "100%"]);
});

Deno.test("ageText() and uptimeText() name the largest units", () => {
  assertEquals([0, 59.9, 60, 7199, 86_400, 2 * 86_400].map(ageText), [
    "0s",
    "59s",
    "1m",
    "1h",
    "24h",
    "2d",
  ]);
  assertEquals([5, 3725, 90_061].map(uptimeText), ["00:05", "1:02:05", "1d 1:01:01"]);
});

Deno.test("what is not known is a dash", () => {
  const texts = [countText, bytesText, shareText, ageText, uptimeText].map((it) => it(undefined));
  assertEquals(new Set(texts), new Set(["-"]));
});

Deno.test("bar() fills its columns and no more", () => {
  assertEquals(bar(0.5, 4, ASCII), "##..");
  assertEquals([bar(-1, 3, ASCII), bar(7, 3, ASCII), bar(1, 0, ASCII)], ["...", "###", ""]);
  assertEquals(bar(1, -5, ASCII), "");
});

Deno.test("historyLine() shows the last values, and gaps", () => {
  assertEquals(historyLine([1, 0, undefined, 7, 14], 7, 4, BLOCKS), "▁ ██");
  assertEquals(historyLine([7], 7, 4, BLOCKS), "   █");
  assertEquals(historyLine([0, 0], 0, 2, BLOCKS), "▁▁");
  assertEquals(historyLine([1], 1, -3, BLOCKS), "");
});
