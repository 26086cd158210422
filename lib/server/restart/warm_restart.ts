// A cache that outlives its process (-e): item memory is a mapped file. A server that stops
// gracefully writes FILE.meta beside it, from which the next one restores the cache.
//
//   open      locks the file; reads FILE.meta and checks all items; where there is no cache for
//             these settings, makes the file anew, otherwise writes nothing
//   begin     removes FILE.meta, marks the file as in use, restores the checked items
//   save      marks the file as saved, waits until it is on disk, then puts FILE.meta in place
//
// FILE.meta does not exist while items change. Page 0, which has no items, has a mark: whether the
// file is in use or was saved, and with which id. So metadata that was copied away and back, or
// that belongs to another file of that name, is refused.
// Source: memcached restart.c; the checks and the order of writes are memden's.

import type { Block } from "../../base/block.ts";
import { crc32 } from "node:zlib";
import { latin1 } from "../../base/ascii.ts";
import type { Log } from "../../base/operator_log.ts";
import { ExitCode, SettingsError } from "../../config/settings_error.ts";
import { SEGMENT_BYTES, segmentAddresses, segmentsIn } from "../../memory/arena.ts";
import { openItems } from "../../store/item/item.ts";
import { itemMemoryBytes, type StorePlan } from "../../store/plan.ts";
import { restoreStore } from "../../store/restart/restore.ts";
import { checkSaved } from "../../store/restart/saved_check.ts";
import { saveStore } from "../../store/restart/saved_store.ts";
import { PAGE_BYTES, SlabClasses } from "../../store/slab/classes.ts";
import type { Store } from "../../store/store.ts";
import {
  NO_FILE,
  problemOfWriting,
  readWhole,
  removeDurably,
  writeDurably,
} from "../../sys/durable_file.ts";
import { MemoryFile } from "../../sys/memory_file.ts";
import { mapFile, syncMemory, viewMemory } from "../../sys/mmap.ts";
import {
  decodeMeta,
  encodeMeta,
  type LayoutRow,
  layoutRows,
  type RestartMeta,
} from "./restart_meta.ts";
import { memoryLimit } from "../process/cgroup.ts";
import { type ClockState, secondsSince } from "../channel/server_clock.ts";

const MIB = 2 ** 20;
/** Longest metadata file, in bytes: 32 GiB of items have less. */
const META_BYTES_MAX = 64 * MIB;
/** The system's time may be so many seconds behind that of the last run. */
const CLOCK_SLACK = 1;
/** Seconds after which times no longer fit. */
const CLOCK_MAX = 2 ** 31;

/** Where the mark is in page 0: not where a reference of 0 points. */
const MARK_AT = 4096;
const MARK_BYTES = 64;
const IN_USE = "memden items in use";
const SAVED = "memden items saved ";

/** The memory file of one server. */
export class WarmRestart {
  /** Where the segments of item memory are mapped. */
  readonly segments: readonly number[];
  readonly #path: string;
  readonly #file: MemoryFile;
  readonly #plan: StorePlan;
  readonly #layout: readonly LayoutRow[];
  readonly #memory: readonly Block[];
  readonly #log: Log;
  #found: RestartMeta | undefined;
  /** How long the check of the cache took, in milliseconds. */
  #checkMs = 0;

  private constructor(path: string, file: MemoryFile, plan: StorePlan, log: Log) {
    this.#path = path;
    this.#file = file;
    this.#plan = plan;
    this.#layout = layoutRows(plan);
    this.#log = log;
    const bytes = itemMemoryBytes(plan);
    const address = mapFile(file.fd, 0, bytes);
    this.segments = segmentAddresses(address, bytes);
    this.#memory = segmentsIn(viewMemory(address, bytes));
  }

  /**
   * Opens the memory file at `path`, and looks whether there is a cache in it.
   *
   * @throws {SettingsError} When the file cannot be used, or there is no room for it.
   */
  static open(path: string, plan: StorePlan, log: Log): WarmRestart {
    const file = MemoryFile.open(path);
    if (typeof file === "string") throw unusable(path, file);
    const unwritable = problemOfWriting(metaPath(path));
    if (unwritable !== undefined) {
      throw refused(path, file, `${metaPath(path)} cannot be written: ${unwritable}`);
    }
    const bytes = itemMemoryBytes(plan);
    let found = readMeta(metaPath(path), layoutRows(plan));
    if (typeof found !== "string" && file.bytes !== bytes) {
      found = `the memory file has ${file.bytes} bytes, not ${bytes}`;
    }
    if (typeof found === "string") makeNew(path, file, bytes);
    else reserve(path, file, bytes);
    const warm = new WarmRestart(path, file, plan, log);
    const startMs = performance.now();
    const reason = typeof found === "string" ? found : warm.#problemOf(found);
    warm.#checkMs = performance.now() - startMs;
    if (reason === undefined) warm.#found = found as RestartMeta;
    else {
      if (typeof found !== "string") makeNew(path, file, bytes);
      log.warn(`[restart] ${reason}, starting with a clean cache`);
    }
    return warm;
  }

  /** Where the clock of the cache that was found began, as Unix time; undefined without one. */
  get startUnix(): number | undefined {
    return this.#found?.startUnix;
  }

  /** Why the cache that `meta` describes cannot be used; undefined when it can. */
  #problemOf({ id, startUnix, saved, sums }: RestartMeta): string | undefined {
    const now = secondsSince(startUnix);
    if (now < saved.now - CLOCK_SLACK) {
      return `the cache is from ${saved.now - now} s in the future`;
    }
    if (now >= CLOCK_MAX) return "the cache is too old";
    if (saved.owners.length > this.#plan.regions.pages) return "there are too many pages";
    if (this.#readMark() !== SAVED + id) return "the memory file was not saved with this metadata";
    for (let page = 1; page < sums.length; page++) {
      if (crc32(this.#pageAt(page)) !== sums[page]) return `page ${page} of the memory is damaged`;
    }
    const { shape } = this.#plan;
    const items = openItems(this.#memory, shape.useCas);
    const problem = checkSaved(items, new SlabClasses(shape), saved);
    return problem === undefined ? undefined : `the items are damaged: ${problem}`;
  }

  #pageAt(page: number): Uint8Array {
    const position = page * PAGE_BYTES;
    const { bytes } = this.#memory[Math.floor(position / SEGMENT_BYTES)]!;
    const from = position % SEGMENT_BYTES;
    return bytes.subarray(from, from + PAGE_BYTES);
  }

  /**
   * Marks the file as in use, and restores the items of the last run. Call it before any thread
   * uses `store`, which has the file's memory. From here on only {@linkcode save} keeps the cache.
   */
  begin(store: Store): void {
    this.#file.keep();
    const meta = metaPath(this.#path);
    const problem = removeDurably(meta);
    const found = this.#found;
    this.#found = undefined;
    if (problem !== undefined) {
      this.#log.warn(`[restart] cannot remove ${meta}: ${problem}, starting with a clean cache`);
      if (found !== undefined) makeNew(this.#path, this.#file, itemMemoryBytes(this.#plan));
    }
    this.#writeMark(IN_USE);
    if (!this.#sync(MARK_AT + MARK_BYTES)) this.#log.warn(`[restart] cannot sync ${this.#path}`);
    if (found === undefined || problem !== undefined) return;
    const startMs = performance.now();
    const count = restoreStore(store, found.saved);
    const times = [this.#checkMs, performance.now() - startMs].map((ms) => ms.toFixed(0));
    this.#log.info(
      `[restart] checked in ${times[0]} ms, ${count} items restored in ${times[1]} ms`,
    );
  }

  /**
   * Saves the cache for the next server. All threads but this one have ended.
   *
   * @param clock The server's clock at this moment.
   * @returns Why the cache is lost; undefined when it is not.
   */
  save(store: Store, { startUnix, now }: ClockState): string | undefined {
    if (!this.#file.isInPlace) {
      return this.#lost(`${this.#path} was removed, or is another file by now`);
    }
    const startMs = performance.now();
    const saved = saveStore(store, now);
    const sums = new Uint32Array(saved.owners.length);
    for (let page = 1; page < sums.length; page++) sums[page] = crc32(this.#pageAt(page));
    const id = crypto.randomUUID().replaceAll("-", "");
    this.#writeMark(SAVED + id);
    const problem = this.#sync(itemMemoryBytes(this.#plan)) && this.#file.sync()
      ? writeDurably(
        metaPath(this.#path),
        encodeMeta({ id, startUnix, saved, sums }, this.#layout),
      )
      : `cannot write ${this.#path}`;
    if (problem !== undefined) return this.#lost(problem);
    const ms = (performance.now() - startMs).toFixed(0);
    this.#log.info(`[restart] the cache is saved in ${this.#path}, in ${ms} ms`);
    return undefined;
  }

  #lost(problem: string): string {
    this.#log.error(`[restart] the cache is not saved: ${problem}`);
    return problem;
  }

  /** Closes the file, for the next server. No thread uses its memory any more. */
  close(): void {
    this.#file.close();
  }

  /** Writes the first `bytes` bytes of memory to the file; false when that failed. */
  #sync(bytes: number): boolean {
    return this.segments.every((address, index) => {
      const count = Math.min(this.#plan.segmentBytes[index]!, bytes - index * SEGMENT_BYTES);
      return count <= 0 || syncMemory(address, count);
    });
  }

  #mark(): Uint8Array<ArrayBuffer> {
    return this.#memory[0]!.bytes.subarray(MARK_AT, MARK_AT + MARK_BYTES);
  }

  #readMark(): string {
    return latin1(this.#mark()).replace(/\0+$/, "");
  }

  #writeMark(text: string): void {
    this.#mark().fill(0);
    this.#mark().set(new TextEncoder().encode(text));
  }
}

function metaPath(path: string): string {
  return `${path}.meta`;
}

function unusable(path: string, reason: string): SettingsError {
  return new SettingsError(`memden: cannot use -e ${path}: ${reason}`, ExitCode.OS_ERROR);
}

/** The same for a file that was open. */
function refused(path: string, file: MemoryFile, reason: string): SettingsError {
  file.close();
  return unusable(path, reason);
}

/** Makes the file all zero, with room for `bytes` bytes. */
function makeNew(path: string, file: MemoryFile, bytes: number): void {
  // Clearing the file frees its room. Where even that is too little, the file stays as it is.
  const most = file.roomWithin(memoryLimit()) + file.takenBytes;
  if (file.bytes > 0 && most < bytes) throw refused(path, file, tooLarge(bytes, most));
  const problem = file.clear(bytes);
  if (problem !== undefined) throw refused(path, file, problem);
  // Checked first: a reservation that fails takes all free room for a while.
  const room = file.roomWithin(memoryLimit());
  if (room < bytes) {
    file.clear(0);
    throw refused(path, file, tooLarge(bytes, room));
  }
  reserve(path, file, bytes);
}

function tooLarge(bytes: number, room: number): string {
  const [needed, free] = [bytes, room].map((count) => Math.ceil(count / MIB));
  return `it needs ${needed} MB of room, ${free} MB are free`;
}

/** Makes sure that every byte can be written. */
function reserve(path: string, file: MemoryFile, bytes: number): void {
  const problem = file.reserve(bytes);
  if (problem === undefined) return;
  throw refused(path, file, `it needs ${Math.ceil(bytes / MIB)} MB of room: ${problem}`);
}

/** @returns What is in the metadata file; or why it cannot be used. */
function readMeta(path: string, layout: readonly LayoutRow[]): RestartMeta | string {
  const bytes = readWhole(path, META_BYTES_MAX);
  if (bytes === NO_FILE) return "no metadata save file";
  return typeof bytes === "string" ? `cannot read ${path}: ${bytes}` : decodeMeta(bytes, layout);
}
