/**
 * Says each refusal once and then now and again: redialling repeats them several times a second.
 * Whoever reaches the port can make up new ones without end, so only so many are said in a time.
 */

const REPEAT_MS = 10_000;
/** Different sentences said in that time: more than a whole ensemble of strangers brings forth. */
const SENTENCES_MAX = 100;

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
    this.#forgetOld(nowMs);
    if (this.#saidAtMs.size >= SENTENCES_MAX) return;
    // Filed anew, so that the oldest stands first.
    this.#saidAtMs.delete(key);
    this.#saidAtMs.set(key, nowMs);
    this.#say(sentence);
    if (this.#saidAtMs.size < SENTENCES_MAX) return;
    this.#say(
      `${SENTENCES_MAX} different refusals within ${REPEAT_MS / 1000} s: others are not shown`,
    );
  }

  #forgetOld(nowMs: number): void {
    for (const [key, saidAtMs] of this.#saidAtMs) {
      if (nowMs - saidAtMs < REPEAT_MS) return;
      this.#saidAtMs.delete(key);
    }
  }
}
