/**
 * The text of an answer that lists what clients have set up: paths of a million characters by the
 * thousand come to more than a string can hold. What is too much is left out, and said to be.
 */

/** Characters of a list; more than any operator or tool looks at. */
export const ANSWER_CHARS_MAX = 32 * 1024 * 1024;
const LEFT_OUT = '(the list is too long: the rest is left out)\n';

export class AnswerText {
  readonly #parts: string[] = [];
  #chars = 0;
  #isFull = false;

  /** Nothing more is taken. */
  get isFull(): boolean {
    return this.#isFull;
  }

  /** Takes the line, without its end, as long as nothing has been left out. */
  line(text: string): void {
    if (this.#isFull) return;
    this.#chars += text.length + 1;
    this.#isFull = this.#chars > ANSWER_CHARS_MAX;
    this.#parts.push(this.#isFull ? LEFT_OUT : `${text}\n`);
  }

  toString(): string {
    return this.#parts.join('');
  }
}
