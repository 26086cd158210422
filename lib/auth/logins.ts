// Who may log in (`-Y`, `-S`): names and passwords in shared memory, the same for all threads.
//
// record:  [ nuser | npass | name, password, zeros: 256 bytes in 64 words ]
//
// The main thread writes the table, at start and whenever the file is read again; workers compare
// with it. Both hold the settings lock. A record that is not in use is all zero: no client can ask
// for an empty name, so a table that nobody has filled lets nobody in.

import { assert } from "../base/assert.ts";
import type { LockIndex, Locks } from "../memory/lock.ts";
import { LockRank } from "../memory/lock.ts";
import { type Control, Global, wordIndex } from "../memory/regions.ts";

/** Logins that the table holds. */
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

/** A name and the password that goes with it. */
export interface Login {
  readonly user: Uint8Array;
  readonly pass: Uint8Array;
}

/** One thread's way to the table. */
export class Logins {
  readonly #words: Uint32Array<SharedArrayBuffer>;
  readonly #from: number;
  readonly #locks: Locks;
  /** What the client at hand asks for, in the form of a record. */
  readonly #asked = new Uint32Array(RECORD_WORDS);
  readonly #askedBytes = new Uint8Array(this.#asked.buffer, LENGTH_WORDS * WORD_BYTES);

  constructor({ u32, regions }: Control, locks: Locks) {
    this.#words = u32;
    this.#from = wordIndex(regions.loginsAt);
    this.#locks = locks;
  }

  /**
   * Puts `logins` in the place of all that may log in so far.
   *
   * @param logins At most {@linkcode LOGINS_MAX}, none longer than {@linkcode LOGIN_BYTES_MAX}.
   */
  replace(logins: readonly Login[]): void {
    assert(logins.length <= LOGINS_MAX, "More logins than the table holds");
    const table = new Uint32Array(LOGIN_WORDS);
    logins.forEach(({ user, pass }, index) => {
      assert(user.length + pass.length <= LOGIN_BYTES_MAX, "Login longer than its record");
      this.#ask(user, 0, user.length, pass, 0, pass.length);
      table.set(this.#asked, index * RECORD_WORDS);
    });
    this.#asked.fill(0);

    this.#locks.lock(SETTINGS_LOCK, LockRank.SETTINGS);
    this.#words.set(table, this.#from);
    this.#locks.unlock(SETTINGS_LOCK, LockRank.SETTINGS);
  }

  /**
   * Whether the name `bytes[userFrom, userTo)` may log in with the password
   * `bytes[passFrom, passTo)`.
   *
   * The time it takes says nothing about the table: what is asked for is first brought into the
   * form of a record, by a loop over a fixed number of bytes; then every word of every record, used
   * or not, is compared with it. Differences are gathered by bit operations, and no branch and no
   * position depends on them. It depends only on the lengths that the client itself has chosen.
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
    this.#ask(bytes, userFrom, userTo, bytes, passFrom, passTo);

    this.#locks.lock(SETTINGS_LOCK, LockRank.SETTINGS);
    const count = this.#countEqualLocked();
    this.#locks.unlock(SETTINGS_LOCK, LockRank.SETTINGS);

    this.#asked.fill(0);
    return userFrom < userTo && count !== 0;
  }

  /** Fills the record of what is asked for. What is too long for one keeps its lengths. */
  #ask(
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

  /** How many records equal what is asked for. Caller holds the settings lock. */
  #countEqualLocked(): number {
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
