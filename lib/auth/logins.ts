// The logins (`-Y`, `-S`): names and passwords in shared memory, the same for all threads.
//
// record:  [ nuser | npass | name, password, zeros: 256 bytes in 64 words ]
//
// The main thread writes the table, at start and each time it reads the file again; workers compare
// with it. Both hold the settings lock. An unused record is all zero: an empty name never matches,
// so an empty table admits no client.

import { assert } from "../base/assert.ts";
import type { LockIndex, Locks } from "../memory/lock.ts";
import { LockRank } from "../memory/lock.ts";
import { type Control, Global, wordIndex } from "../memory/regions.ts";

/** Most logins in the table. */
export const LOGINS_MAX = 64;

/** Most bytes of a name and its password together. Source: memcached authfile.c, MAX_ENTRY_LEN. */
export const LOGIN_BYTES_MAX = 256;

const WORD_BYTES = 4;
const NUSER = 0;
const NPASS = 1;
const LENGTH_WORDS = 2;
const RECORD_WORDS = LENGTH_WORDS + LOGIN_BYTES_MAX / WORD_BYTES;

/** Words of the whole table. */
export const LOGIN_WORDS = LOGINS_MAX * RECORD_WORDS;

const SETTINGS_LOCK = Global.SETTINGS_LOCK as LockIndex;

/** A name and its password. */
export interface Login {
  readonly user: Uint8Array;
  readonly pass: Uint8Array;
}

/** One thread's access to the table. */
export class Logins {
  readonly #words: Uint32Array<SharedArrayBuffer>;
  readonly #from: number;
  readonly #locks: Locks;
  /** A login in the form of a record: one that a client tries, or one for the table. */
  readonly #asked = new Uint32Array(RECORD_WORDS);
  readonly #askedBytes = new Uint8Array(this.#asked.buffer, LENGTH_WORDS * WORD_BYTES);

  constructor({ u32, regions }: Control, locks: Locks) {
    this.#words = u32;
    this.#from = wordIndex(regions.loginsAt);
    this.#locks = locks;
  }

  /**
   * Replaces all logins of the table. Takes: settings.
   *
   * @param logins At most {@linkcode LOGINS_MAX}, none longer than {@linkcode LOGIN_BYTES_MAX}.
   */
  replace(logins: readonly Login[]): void {
    assert(logins.length <= LOGINS_MAX, "More logins than the table holds");
    const table = new Uint32Array(LOGIN_WORDS);
    logins.forEach(({ user, pass }, index) => {
      assert(user.length + pass.length <= LOGIN_BYTES_MAX, "Login longer than its record");
      this.#fillAsked(user, 0, user.length, pass, 0, pass.length);
      table.set(this.#asked, index * RECORD_WORDS);
    });
    this.#asked.fill(0);

    this.#locks.lock(SETTINGS_LOCK, LockRank.SETTINGS);
    this.#words.set(table, this.#from);
    this.#locks.unlock(SETTINGS_LOCK, LockRank.SETTINGS);
  }

  /**
   * Whether the table has the name `bytes[userFrom, userTo)` with the password
   * `bytes[passFrom, passTo)`.
   *
   * The time depends on the lengths that the client has chosen, and not on the table: a loop over a
   * fixed number of bytes fills a record, and a second one compares it with every word of every
   * record, used or not. Bit operations gather the differences; no branch and no position depends
   * on them.
   *
   * Takes: settings.
   */
  matches(
    bytes: Uint8Array,
    userFrom: number,
    userTo: number,
    passFrom: number,
    passTo: number,
  ): boolean {
    this.#fillAsked(bytes, userFrom, userTo, bytes, passFrom, passTo);

    this.#locks.lock(SETTINGS_LOCK, LockRank.SETTINGS);
    const count = this.#countEqualLocked();
    this.#locks.unlock(SETTINGS_LOCK, LockRank.SETTINGS);

    this.#asked.fill(0);
    return userFrom < userTo && count !== 0;
  }

  /**
   * Fills the record of a login. One that is too long for it keeps its lengths, and matches none.
   */
  #fillAsked(
    users: Uint8Array,
    userFrom: number,
    userTo: number,
    passes: Uint8Array,
    passFrom: number,
    passTo: number,
  ): void {
    const nuser = userTo - userFrom;
    const npass = passTo - passFrom;
    this.#asked[NUSER] = nuser;
    this.#asked[NPASS] = npass;
    for (let at = 0; at < LOGIN_BYTES_MAX; at++) {
      let byte = 0;
      if (at < nuser) byte = users[userFrom + at]!;
      else if (at < nuser + npass) byte = passes[passFrom + at - nuser]!;
      this.#askedBytes[at] = byte;
    }
  }

  /** Number of records that equal the tried login. Caller holds the settings lock. */
  #countEqualLocked(): number {
    assert(this.#locks.heldCount(LockRank.SETTINGS) > 0, "Logins read without the settings lock");
    let count = 0;
    for (let index = 0; index < LOGINS_MAX; index++) {
      const from = this.#from + index * RECORD_WORDS;
      let differs = 0;
      for (let word = 0; word < RECORD_WORDS; word++) {
        differs |= this.#words[from + word]! ^ this.#asked[word]!;
      }
      count += ((differs | -differs) >>> 31) ^ 1; // The sign bit is set unless nothing differs.
    }
    return count;
  }
}
