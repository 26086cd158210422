// Fetches everything that `memden top` shows, over one connection, which is opened again after it
// was lost.
//
// Only the general `stats` are required. Other lists may be refused, and are then missing from that
// sample. A list that gets no answer costs the connection, and is not requested again.

import {
  ClosedError,
  LinkError,
  NoAnswerError,
  type ServerLink,
  type StatLines,
} from "../link/server_link.ts";
import { type Answers, numberOf, type Sample, sampleOf } from "./sample.ts";

/** Lists of statistics besides the general one. */
type Optional = "items" | "slabs" | "settings" | "conns";

/** With more connections, `stats conns` is not requested: it has lines for each of them. */
const LISTED_CONNS_MAX = 1000;

/** Answer of a server with `-Y` before the login. Source: memcached proto_text.c. */
const UNAUTHENTICATED = "CLIENT_ERROR unauthenticated";

/** The server demands a login, or refuses this one. */
export class LoginError extends LinkError {
  override name = "LoginError";
}

/** Takes a sample for each update. */
export class Poller {
  readonly #open: () => Promise<ServerLink>;
  readonly #login: string | undefined;
  #link: ServerLink | undefined = undefined;
  #settings: StatLines | undefined = undefined;
  readonly #silent = new Set<Optional>();

  /** Bytes of links that are closed. */
  #sentBefore = 0;
  #receivedBefore = 0;

  /**
   * @param open Opens a connection.
   * @param login Name, space and password; undefined to do without.
   */
  constructor(open: () => Promise<ServerLink>, login: string | undefined) {
    this.#open = open;
    this.#login = login;
  }

  /**
   * Takes one sample.
   *
   * @throws {LinkError} When the server does not answer; the next call connects anew.
   */
  async poll(): Promise<Sample> {
    try {
      return await this.#poll();
    } catch (error) {
      this.#drop();
      throw error;
    }
  }

  async #poll(): Promise<Sample> {
    const link = this.#link ??= await this.#openLink();
    const received = this.#receivedBefore + link.receivedBytes;
    const general = await link.stats("");
    if (general === UNAUTHENTICATED) {
      throw new LoginError("asks for a login: name a file with user:password by --auth-file");
    }
    if (typeof general === "string") throw new LinkError(`answers stats with "${general}"`);
    const atMs = performance.now();
    const own = { sent: this.#sentBefore + link.sentBytes, received };

    this.#settings ??= await this.#ask(link, "settings");
    const conns = numberOf(general, "curr_connections") ?? 0;
    const answers: Answers = {
      general,
      settings: this.#settings,
      items: await this.#ask(link, "items"),
      slabs: await this.#ask(link, "slabs"),
      conns: conns > LISTED_CONNS_MAX ? undefined : await this.#ask(link, "conns"),
    };
    return sampleOf(answers, atMs, own);
  }

  async #ask(link: ServerLink, what: Optional): Promise<StatLines | undefined> {
    if (this.#silent.has(what)) return undefined;
    try {
      const answer = await link.stats(what);
      return typeof answer === "string" ? undefined : answer;
    } catch (error) {
      if (error instanceof NoAnswerError) this.#silent.add(what);
      throw error;
    }
  }

  /** Opens a link that is ready for questions. */
  async #openLink(): Promise<ServerLink> {
    const link = await this.#open();
    this.#link = link; // So that it is closed, and its bytes count, when the login fails.
    if (this.#login !== undefined) await logIn(link, this.#login);
    // The first request shows whether the server speaks this protocol at all.
    try {
      await link.stats("");
    } catch (error) {
      if (!(error instanceof ClosedError)) throw error;
      const why = "perhaps it speaks TLS (--tls), or the binary protocol only";
      throw new LinkError(`${error.message} without an answer: ${why}`);
    }
    return link;
  }

  #drop(): void {
    const link = this.#link;
    if (link === undefined) return;
    link.close();
    this.#sentBefore += link.sentBytes;
    this.#receivedBefore += link.receivedBytes;
    this.#settings = undefined;
    this.#link = undefined;
  }
}

/** Logs in as memcached has it: by a `set` under any key. Source: doc/protocol.txt. */
async function logIn(link: ServerLink, login: string): Promise<void> {
  const answer = await link.ask(`set login 0 0 ${login.length}\r\n${login}\r\n`);
  if (answer === "STORED") return;
  throw new LoginError("refuses the login");
}
