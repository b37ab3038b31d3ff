/** The commands that an operator types into the client port: four ASCII letters instead of a length. */

const WORDS = [
  'conf',
  'cons',
  'crst',
  'dirs',
  'dump',
  'envi',
  'gtmk',
  'hash',
  'isro',
  'mntr',
  'ruok',
  'srst',
  'srvr',
  'stat',
  'stmk',
  'wchc',
  'wchp',
  'wchs',
] as const;
export type FourLetterWord = (typeof WORDS)[number];

/** Behind `stmk` comes the mask: a long. */
export const TRACE_MASK_BYTES = 8;

/** As lengths all of them are far above any frame's maximum, so neither can be taken for the other. */
const BY_NUMBER: ReadonlyMap<number, FourLetterWord> = new Map(
  WORDS.map((word) => [Buffer.from(word, 'latin1').readInt32BE(0), word]),
);

/** The command that the first four bytes of a connection spell, if they spell one. */
export function fourLetterWord(number: number): FourLetterWord | undefined {
  return BY_NUMBER.get(number);
}
