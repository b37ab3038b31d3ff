/**
 * A world as a row of small numbers: the state of each server, the connection from each server to
 * each other, the chronicle, and how much of what may happen has happened.
 */

export type Row = Int32Array<ArrayBuffer>;

export const SERVERS = 3;
export const SIDS = [1, 2, 3] as const;

const LINKS = SERVERS;
export const CHRONICLE = LINKS + SERVERS * SERVERS;
export const SPENT = CHRONICLE + 1;
export const ROW_WIDTH = SPENT + 1;

/** How often something may happen on one path. */
export interface Limits {
  readonly writes: number;
  /** Elections of a leader. */
  readonly leaderChanges: number;
  /** Processes that die, and may come back. */
  readonly crashes: number;
  /** Connections that break, servers that lose patience with a leader or a quorum that is there. */
  readonly cuts: number;
  /** Logs that are cut behind a checkpoint. */
  readonly trims: number;
}

/** The limits by number, each a digit of the row's last word. */
export const Spent = { writes: 0, leaderChanges: 1, crashes: 2, cuts: 3, trims: 4 } as const;
export type Spent = (typeof Spent)[keyof typeof Spent];

const SPENT_BASE = 8;
/** Of each limit: a world that goes beyond it by one must still be told from others. */
export const LIMIT_MAX = SPENT_BASE - 2;

export function spentIn(row: Row, what: Spent): number {
  return Math.floor((row[SPENT] ?? 0) / SPENT_BASE ** what) % SPENT_BASE;
}

export function spend(row: Row, what: Spent): void {
  row[SPENT] = (row[SPENT] ?? 0) + SPENT_BASE ** what;
}

/** Where in the row the connection between two servers is. */
export function placeOf(dialler: number, acceptor: number): number {
  return LINKS + (dialler - 1) * SERVERS + (acceptor - 1);
}

export function isAcceptorsEnd(place: number, sid: number): boolean {
  return (place - LINKS) % SERVERS === sid - 1;
}
