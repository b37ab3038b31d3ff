/** The text in which the original keeps limits and usage of a quota. */

export type Track = Map<string, number>;

/** Reads `count=1,bytes=2=;byteHardLimit=-1;countHardLimit=3`, and what older releases wrote. */
export function parseTrack(text: string): Track {
  const track: Track = new Map();
  for (const pair of text.split(/[,;]+/)) {
    const [key = '', value = ''] = pair.split('=');
    if (key !== '') track.set(key, value === '' ? -1 : Number(value));
  }
  return track;
}

/**
 * The second `=` behind the bytes is what makes releases before hard limits pass over all that
 * follows it.
 */
export function limitsText(track: ReadonlyMap<string, number>): string {
  const { count = -1, bytes = -1, ...others } = Object.fromEntries(track);
  const rest = Object.keys(others)
    .sort()
    .map((key) => `;${key}=${others[key]}`);
  return `count=${count},bytes=${bytes}${rest.length > 0 ? '=' : ''}${rest.join('')}`;
}

export function trackJson(track: ReadonlyMap<string, number>): Readonly<Record<string, number>> {
  return Object.fromEntries(track);
}
