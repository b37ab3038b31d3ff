/** What can happen to one server, each as one number: inputs are keys of the table of known steps. */

export const Kind = {
  deliver: 0,
  closed: 1,
  tick: 2,
  propose: 3,
  complete: 4,
  connected: 5,
  opened: 6,
  dialFailed: 7,
  notified: 8,
  reachable: 9,
  crash: 10,
  start: 11,
  trim: 12,
} as const;
export type Kind = (typeof Kind)[keyof typeof Kind];

const KINDS = 16;
const PEERS = 4;
/** Every input is below it. */
export const INPUTS = KINDS * PEERS * 0x10_0000;

/**
 * `peer`: the learner's server id on a connection that this server accepted, 0 on the one it
 * dialled; or whom the input is from. `detail`: the message, the milliseconds, how many.
 */
export function input(kind: Kind, peer: number, detail = 0): number {
  return (detail * PEERS + peer) * KINDS + kind;
}

export function kindOf(code: number): Kind {
  return (code % KINDS) as Kind;
}

export function peerOf(code: number): number {
  return Math.floor(code / KINDS) % PEERS;
}

export function detailOf(code: number): number {
  return Math.floor(code / (KINDS * PEERS));
}
