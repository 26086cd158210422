// A client program in Python, driven by lines: a command goes in, a line of JSON comes out.
//
// Python and not Deno: it can set every option of a socket, and it closes one by RST.

const FOLDER = new URL("./", import.meta.url).pathname;
const ANSWER_MS_MAX = 60_000;

/** A running client program. */
export class LoadClient {
  readonly #name: string;
  readonly #child: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #lines: AsyncIterator<string>;

  /**
   * @param script File name in this folder.
   * @param args Its arguments.
   */
  constructor(script: string, args: readonly (string | number)[]) {
    this.#name = `${script} ${args.join(" ")}`;
    this.#child = new Deno.Command("python3", {
      args: [`${FOLDER}${script}`, ...args.map(String)],
      env: { PYTHONDONTWRITEBYTECODE: "1" },
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    this.#input = this.#child.stdin.getWriter();
    this.#lines = linesOf(this.#child.stdout);
  }

  /**
   * Sends `command` and waits for the answer.
   *
   * @throws {Error} When the program ends, or takes too long.
   */
  async ask<Answer = unknown>(command: string): Promise<Answer> {
    await this.#input.write(new TextEncoder().encode(`${command}\n`));
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), ANSWER_MS_MAX);
    const { value, done } = await this.#lines.next();
    clearTimeout(timer);
    if (done === true) throw new Error(`${this.#name}: no answer to "${command}"`);
    return JSON.parse(value);
  }

  /** Ends the program: its input ends. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#input.abort();
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), ANSWER_MS_MAX);
    await this.#child.status;
    clearTimeout(timer);
  }
}

async function* linesOf(stream: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<string> {
  let text = "";
  for await (const piece of stream.pipeThrough(new TextDecoderStream())) {
    text += piece;
    for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n")) {
      yield text.slice(0, end);
      text = text.slice(end + 1);
    }
  }
}
