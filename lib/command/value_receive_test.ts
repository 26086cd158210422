// Goal: a mistake in the reception of a value stops the thread, and never reaches an item.

import { assertEquals, assertThrows } from "@std/assert";
import { ascii, CRLF_BYTES } from "../base/ascii.ts";
import { InvariantError } from "../base/assert.ts";
import { Block } from "../base/block.ts";
import { defaultSettings } from "../config/settings.ts";
import { TEST_SERVER } from "../net/network_fixture.ts";
import { checkStore } from "../store/check.ts";
import { NO_ITEM } from "../store/item/item.ts";
import { isRefused } from "../store/outcome.ts";
import { allocate } from "../store/room/allocate.ts";
import { makeStore } from "../store/store_fixture.ts";
import { Executor } from "./executor.ts";
import { Session } from "./session.ts";
import {
  abandonStorage,
  endsInCrlf,
  openPiece,
  receiveValue,
  startValue,
  takeReceived,
} from "./value_receive.ts";

const KEY = Block.of(ascii("key"));
const VALUE = Block.of(ascii("value\r\nand the next command"));
const VALUE_BYTES = 5 + CRLF_BYTES;

/** A session that receives a value of {@linkcode VALUE_BYTES}. */
function receiving(): { readonly executor: Executor; readonly session: Session } {
  const executor = new Executor(makeStore(), defaultSettings(), TEST_SERVER);
  const session = new Session();
  session.valueLeft = VALUE_BYTES;
  const it = allocate(executor.store, KEY, 0, KEY.bytes.length, 0, 0, VALUE_BYTES);
  if (isRefused(it)) throw new Error("No memory for the test's item");
  startValue(executor, session, it);
  return { executor, session };
}

Deno.test("takeReceived() ends the reception of a complete value", () => {
  const { executor, session } = receiving();
  assertEquals(receiveValue(executor, session, VALUE, 0, 3), 3);
  assertEquals(receiveValue(executor, session, VALUE, 3, VALUE_BYTES - 3), VALUE_BYTES - 3);
  assertEquals(endsInCrlf(executor, session), true);
  session.item = takeReceived(session);
  abandonStorage(executor, session);
  assertEquals(session.item, NO_ITEM);
  assertEquals(checkStore(executor.store), { problems: [], items: 0 });
});

Deno.test("takeReceived() refuses a value that is not complete", () => {
  const { executor, session } = receiving();
  receiveValue(executor, session, VALUE, 0, VALUE_BYTES - 1);
  assertThrows(() => takeReceived(session), InvariantError, "before its last byte");
});

Deno.test("takeReceived() refuses a session without an item", () => {
  assertThrows(() => takeReceived(new Session()), InvariantError, "without an item");
});

Deno.test("receiveValue() refuses bytes behind the value", () => {
  const { executor, session } = receiving();
  const count = VALUE_BYTES + 1;
  assertThrows(
    () => receiveValue(executor, session, VALUE, 0, count),
    InvariantError,
    "past its end",
  );
});

Deno.test("receiveValue() refuses bytes of an abandoned value", () => {
  const { executor, session } = receiving();
  abandonStorage(executor, session);
  assertThrows(() => receiveValue(executor, session, VALUE, 0, 1), InvariantError, "an item");
  assertEquals(checkStore(executor.store), { problems: [], items: 0 });
});

Deno.test("openPiece() refuses a piece that has room", () => {
  const { executor, session } = receiving();
  assertThrows(() => openPiece(executor, session), InvariantError, "before the last one is full");
});

Deno.test("startValue() refuses a second value", () => {
  const { executor, session } = receiving();
  assertThrows(
    () => startValue(executor, session, session.item),
    InvariantError,
    "while another one is received",
  );
});
