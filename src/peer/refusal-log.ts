/** Says each refusal once and then now and again: redialling repeats them several times a second. */

const REPEAT_MS = 10_000;

export class RefusalLog {
  readonly #saidAtMs = new Map<string, number>();
  readonly #say: (sentence: string) => void;

  constructor(say: (sentence: string) => void) {
    this.#say = say;
  }

  refused(sentence: string, nowMs: number): void {
    // Client-side port numbers differ from try to try; the sentence is the same for people.
    const key = sentence.replace(/:\d{4,5}\b/g, '');
    const saidAtMs = this.#saidAtMs.get(key);
    if (saidAtMs !== undefined && nowMs - saidAtMs < REPEAT_MS) return;
    this.#saidAtMs.set(key, nowMs);
    this.#say(sentence);
  }
}
