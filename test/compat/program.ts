/**
 * A program: steps for a few connections, each of which may send many requests at once while the
 * others wait, so that two servers that behave alike give the same answers. Which requests there are
 * follows from the seed alone. Nothing is asked of which the answer is known to be harmful to the
 * original, or to be a matter of luck.
 */

import { OpCode } from '../../src/base/op-code.ts';
import { Prng } from '../../src/base/prng.ts';
import type { Request } from './request.ts';
import { RequestSource } from './request-source.ts';
import { Values } from './values.ts';

/** How a connection begins its session anew. */
export interface Hello {
  readonly timeoutMs: number;
  /** Clients before 3.4 leave this byte out. */
  readonly hasReadOnlyByte: boolean;
  readonly passwordBytes: number | null;
  readonly protocolVersion: number;
}

export type Step =
  /** Requests sent together; each is answered before the step ends. */
  | { readonly kind: 'requests'; readonly connection: number; readonly requests: Request[] }
  /** The session is closed and another begun. */
  | { readonly kind: 'renew'; readonly connection: number; readonly hello: Hello }
  /** The connection is cut and the session resumed; or resumed over the old connection's head. */
  | { readonly kind: 'resume'; readonly connection: number; readonly isTakeover: boolean }
  /** The connection is cut, and the session claimed with something wrong. */
  | { readonly kind: 'claim'; readonly connection: number; readonly wrong: WrongClaim }
  /** Bytes that are no request: the server ends the connection. */
  | { readonly kind: 'garbage'; readonly connection: number; readonly bytes: Uint8Array };

export const WRONG_CLAIMS = ['password', 'short password', 'session', 'zxid ahead'] as const;
export type WrongClaim = (typeof WRONG_CLAIMS)[number];

export const CONNECTION_COUNT = 4;
/** Steps of one program. Each begins below a root of its own, so that differences do not add up. */
const STEP_COUNT = 40;
/** Programs with quotas have short steps. */
const QUOTA_STEP_COUNT = 120;
const BATCH_MAX = 50;

const CHANGES: readonly number[] = [
  OpCode.create,
  OpCode.create2,
  OpCode.createContainer,
  OpCode.createTtl,
  OpCode.delete,
  OpCode.setData,
  OpCode.setAcl,
  OpCode.multi,
];

export interface ProgramOptions {
  /** Types of requests to leave out. */
  readonly without: readonly number[];
  /** The configuration's own node is alike on both servers: both are alone. */
  readonly hasConfig: boolean;
}

const GARBAGE: readonly (readonly number[])[] = [
  [0, 0, 0, 0],
  [0, 0, 0, 3, 1, 2, 3],
  [0, 0, 0, 7, 0, 0, 0, 1, 0, 0, 0],
  [0xff, 0xff, 0xff, 0xff],
  [0x7f, 0xff, 0xff, 0xff],
  [0, 0x10, 0, 0],
];

/**
 * The program of a seed, below `root`. The same seed gives the same steps below every root of equal
 * length.
 */
export function makeProgram(seed: number, root: string, options: ProgramOptions): Step[] {
  const prng = new Prng(seed);
  const values = new Values(prng, root, options.hasConfig);
  const source = new RequestSource(values, options.without);
  const steps: Step[] = [{ kind: 'requests', connection: 0, requests: source.beginning() }];
  const count = source.hasQuotas ? QUOTA_STEP_COUNT : STEP_COUNT;
  while (steps.length < count) {
    const connection = prng.between(0, CONNECTION_COUNT - 1);
    steps.push(makeStep(values, source, connection));
  }
  return steps;
}

function makeStep(values: Values, source: RequestSource, connection: number): Step {
  const { prng } = values;
  const choice = prng.fraction();
  if (choice < 0.04) return { kind: 'renew', connection, hello: makeHello(values) };
  if (choice < 0.09) return { kind: 'resume', connection, isTakeover: prng.chance(0.4) };
  if (choice < 0.11) return { kind: 'claim', connection, wrong: values.pick(WRONG_CLAIMS) };
  if (choice < 0.12) {
    return { kind: 'garbage', connection, bytes: Uint8Array.from(values.pick(GARBAGE)) };
  }
  if (choice < 0.24) return { kind: 'requests', connection, requests: [source.alone()] };
  const count = prng.between(1, BATCH_MAX);
  const requests = Array.from({ length: count }, () => source.next(connection)).flat();
  // Whether the original judges the next request by an ACL still under way, or by what is left of a
  // quota after a write under way, is a matter of luck.
  const lastAt = requests.findIndex(({ type }) =>
    source.hasQuotas ? CHANGES.includes(type) : type === OpCode.setAcl,
  );
  const sent = lastAt === -1 ? requests : requests.slice(0, lastAt + 1);
  return { kind: 'requests', connection, requests: sent };
}

function makeHello(values: Values): Hello {
  return {
    timeoutMs: values.pick([40_000, 39_999, 30_000, 50_000, 0x7fff_ffff]),
    hasReadOnlyByte: values.prng.chance(0.8),
    passwordBytes: values.pick([16, 16, 16, 0, 3, 20, null]),
    protocolVersion: values.pick([0, 0, 9]),
  };
}
