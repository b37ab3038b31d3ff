/**
 * Whole request frames of every operation, drawn from a seed: most of them valid, many with a value
 * where no sane client has one. What is wrong with their bytes is `Mutator`'s business.
 */

import { OpCode } from '../../src/base/op-code.ts';
import type { Prng } from '../../src/base/prng.ts';
import type { JuteWriter } from '../../src/protocol/jute-writer.ts';
import { encodeAcls } from '../../src/protocol/records/acl.ts';
import { encodeAuthPacket, encodeSaslToken } from '../../src/protocol/records/auth.ts';
import { encodeRequestHeader } from '../../src/protocol/records/header.ts';
import { encodeMultiEnd, encodeMultiHeader } from '../../src/protocol/records/multi-header.ts';
import { encodePathRequest, encodeWatchedRead } from '../../src/protocol/records/read-request.ts';
import { encodeReconfig } from '../../src/protocol/records/reconfig.ts';
import {
  encodeAddWatch,
  encodeSetWatches,
  encodeSetWatches2,
  encodeWatchesOfType,
} from '../../src/protocol/records/watch.ts';
import { extremeInt, extremeLong, pick } from './draw.ts';

/** Everything that lasts is created below it, so that a janitor finds it. */
export const FUZZ_ROOT = '/f';

const GOOD_PATHS: readonly string[] = [
  FUZZ_ROOT,
  ...Array.from({ length: 8 }, (_, i) => `${FUZZ_ROOT}/${i}`),
  ...Array.from({ length: 8 }, (_, i) => `${FUZZ_ROOT}/${i}/child`),
  `${FUZZ_ROOT}/ä-\u{1f511}`,
  '/',
  '/zookeeper',
  '/zookeeper/config',
  '/zookeeper/quota',
];

const BAD_PATHS: readonly (string | null)[] = [
  null,
  '',
  'f',
  '//',
  `${FUZZ_ROOT}/`,
  `${FUZZ_ROOT}//0`,
  `${FUZZ_ROOT}/.`,
  `${FUZZ_ROOT}/../0`,
  `${FUZZ_ROOT}/\0`,
  `${FUZZ_ROOT}/\u0001`,
  `${FUZZ_ROOT}/\u007f`,
  `${FUZZ_ROOT}/\ufffe`,
  `${FUZZ_ROOT}/\ue000`,
  `${FUZZ_ROOT}/\ud800`,
  `${FUZZ_ROOT}/${'n'.repeat(300)}`,
  `${FUZZ_ROOT}${'/d'.repeat(200)}`,
  '__proto__',
  `${FUZZ_ROOT}/__proto__`,
  `${FUZZ_ROOT}/constructor`,
];

const SCHEMES: readonly (string | null)[] = [
  'world',
  'auth',
  'digest',
  'ip',
  'x509',
  'sasl',
  'super',
  '',
  '\0',
  '__proto__',
  null,
];
const IDS: readonly (string | null)[] = [
  'anyone',
  'u:p',
  '',
  '127.0.0.1',
  '10.0.0.0/8',
  '::1/129',
  '1.2.3.4/-1',
  'x'.repeat(200),
  null,
];
const OPEN = [{ perms: 31, scheme: 'world', id: 'anyone' }];

const WRITES: readonly number[] = [
  OpCode.create,
  OpCode.create,
  OpCode.create2,
  OpCode.createContainer,
  OpCode.createTtl,
  OpCode.delete,
  OpCode.delete,
  OpCode.setData,
  OpCode.setData,
  OpCode.setAcl,
];

const MEMBERS: readonly number[] = [...WRITES, OpCode.check];
const READS: readonly number[] = [
  OpCode.exists,
  OpCode.getData,
  OpCode.getChildren,
  OpCode.getChildren2,
];
const PATH_ONLY: readonly number[] = [
  OpCode.getAcl,
  OpCode.sync,
  OpCode.getEphemerals,
  OpCode.getAllChildrenNumber,
];
/** Numbers that end the connection; drawn seldom, or nothing behind them would be read. */
const ENDINGS: readonly number[] = [
  OpCode.check,
  OpCode.closeSession,
  OpCode.createSession,
  OpCode.error,
  OpCode.notification,
  OpCode.deleteContainer,
  10,
  23,
  99,
  108,
  -2,
  0x7fffffff,
  -0x80000000,
];

export class RequestSource {
  readonly #prng: Prng;
  readonly #data: Uint8Array;
  #xid = 0;

  constructor(prng: Prng) {
    this.#prng = prng;
    this.#data = Uint8Array.from({ length: 4096 }, () => prng.between(0, 255));
  }

  /** Appends one frame, its length included, and returns its operation. */
  append(writer: JuteWriter): number {
    const mark = writer.beginFrame();
    const op = this.#drawOp();
    this.#xid = (this.#xid + 1) | 0;
    encodeRequestHeader(writer, this.#prng.chance(0.02) ? this.#int() : this.#xid, op);
    this.#record(writer, op);
    writer.endFrame(mark);
    return op;
  }

  #drawOp(): number {
    const draw = this.#prng.between(0, 999);
    if (draw < 330) return pick(this.#prng, WRITES);
    if (draw < 600) return pick(this.#prng, READS);
    if (draw < 700) return pick(this.#prng, PATH_ONLY);
    if (draw < 780) return OpCode.ping;
    if (draw < 850) return OpCode.multi;
    if (draw < 890) return OpCode.multiRead;
    if (draw < 920) return this.#prng.chance(0.5) ? OpCode.setWatches : OpCode.setWatches2;
    if (draw < 940) return OpCode.addWatch;
    if (draw < 960) return this.#prng.chance(0.5) ? OpCode.checkWatches : OpCode.removeWatches;
    if (draw < 970) return OpCode.whoAmI;
    if (draw < 980) return OpCode.reconfig;
    if (draw < 991) return OpCode.getAcl;
    if (draw < 993) return OpCode.auth;
    if (draw < 994) return OpCode.sasl;
    if (draw < 999) return OpCode.getData;
    return pick(this.#prng, ENDINGS);
  }

  #record(writer: JuteWriter, op: number): void {
    switch (op) {
      case OpCode.exists:
      case OpCode.getData:
      case OpCode.getChildren:
      case OpCode.getChildren2:
        encodeWatchedRead(writer, this.#path(), this.#prng.chance(0.3));
        return;
      case OpCode.getAcl:
      case OpCode.sync:
      case OpCode.getEphemerals:
      case OpCode.getAllChildrenNumber:
        encodePathRequest(writer, this.#path());
        return;
      case OpCode.multi:
        this.#multi(writer);
        return;
      case OpCode.multiRead:
        this.#multiRead(writer);
        return;
      case OpCode.setWatches:
        encodeSetWatches(writer, this.#watchLists());
        return;
      case OpCode.setWatches2: {
        const [persistent, recursive] = [this.#paths(), this.#paths()];
        encodeSetWatches2(writer, { ...this.#watchLists(), persistent, recursive });
        return;
      }
      case OpCode.addWatch:
        encodeAddWatch(writer, this.#path(), this.#small());
        return;
      case OpCode.checkWatches:
      case OpCode.removeWatches:
        encodeWatchesOfType(writer, this.#path(), this.#small());
        return;
      case OpCode.auth:
        this.#auth(writer);
        return;
      case OpCode.sasl:
        encodeSaslToken(writer, this.#bytes());
        return;
      case OpCode.reconfig:
        encodeReconfig(writer, {
          joining: this.#text(),
          leaving: this.#text(),
          newMembers: this.#text(),
          curConfigId: extremeLong(this.#prng),
        });
        return;
      default:
        this.#write(writer, op);
    }
  }

  #write(writer: JuteWriter, op: number): void {
    switch (op) {
      case OpCode.create:
      case OpCode.create2:
      case OpCode.createContainer:
      case OpCode.createTtl:
        writer.writeString(this.#path());
        writer.writeBuffer(this.#bytes());
        this.#acl(writer);
        writer.writeInt(this.#flags(op));
        if (op === OpCode.createTtl) writer.writeLong(extremeLong(this.#prng));
        return;
      case OpCode.delete:
      case OpCode.check:
        writer.writeString(this.#path());
        writer.writeInt(this.#version());
        return;
      case OpCode.setData:
        writer.writeString(this.#path());
        writer.writeBuffer(this.#bytes());
        writer.writeInt(this.#version());
        return;
      case OpCode.setAcl:
        writer.writeString(this.#path());
        this.#acl(writer);
        writer.writeInt(this.#version());
        return;
      default:
        return;
    }
  }

  /** Members that may be none, a multi inside a multi among them. */
  #multi(writer: JuteWriter, depth = 0): void {
    const count = this.#prng.chance(0.01) ? 300 : this.#prng.between(0, 5);
    for (let i = 0; i < count; i++) {
      const isNested = depth < 4 && this.#prng.chance(0.02);
      const op = isNested ? OpCode.multi : pick(this.#prng, MEMBERS);
      encodeMultiHeader(writer, op, -1);
      if (isNested) this.#multi(writer, depth + 1);
      else this.#write(writer, op);
    }
    if (!this.#prng.chance(0.02)) encodeMultiEnd(writer);
  }

  #multiRead(writer: JuteWriter): void {
    const count = this.#prng.between(0, 6);
    for (let i = 0; i < count; i++) {
      const op = this.#prng.chance(0.5) ? OpCode.getData : OpCode.getChildren;
      encodeMultiHeader(writer, op, -1);
      encodeWatchedRead(writer, this.#path(), false);
    }
    encodeMultiEnd(writer);
  }

  #auth(writer: JuteWriter): void {
    const scheme = this.#prng.chance(0.9) ? 'digest' : (pick(this.#prng, SCHEMES) ?? '');
    encodeAuthPacket(writer, { type: this.#int(), scheme, auth: this.#bytes() });
  }

  #acl(writer: JuteWriter): void {
    const draw = this.#prng.between(0, 19);
    if (draw < 12) encodeAcls(writer, OPEN);
    else if (draw === 12) encodeAcls(writer, null);
    else if (draw === 13) encodeAcls(writer, []);
    else {
      const count = this.#prng.between(1, 3);
      writer.writeInt(count);
      for (let i = 0; i < count; i++) {
        writer.writeInt(this.#prng.chance(0.5) ? 31 : this.#int());
        writer.writeString(pick(this.#prng, SCHEMES));
        writer.writeString(pick(this.#prng, IDS));
      }
    }
  }

  #watchLists() {
    const relativeZxid = extremeLong(this.#prng);
    return { relativeZxid, data: this.#paths(), exist: this.#paths(), child: this.#paths() };
  }

  #paths(): string[] | null {
    if (this.#prng.chance(0.05)) return null;
    const count = this.#prng.between(0, 4);
    return Array.from({ length: count }, () => this.#path() ?? '');
  }

  #path(): string | null {
    return this.#prng.chance(0.85) ? pick(this.#prng, GOOD_PATHS) : pick(this.#prng, BAD_PATHS);
  }

  #text(): string | null {
    return this.#prng.chance(0.3) ? null : 'server.4=zk4:2888:3888';
  }

  #bytes(): Uint8Array | null {
    const draw = this.#prng.between(0, 99);
    if (draw < 5) return null;
    const size = draw < 8 ? this.#prng.between(0, 4096) : this.#prng.between(0, 40);
    return this.#data.subarray(0, size);
  }

  /** Ephemeral, sequential, container and time to live, and what is no flag at all. */
  #flags(op: number): number {
    if (this.#prng.chance(0.05)) return this.#int();
    if (op === OpCode.createTtl) return this.#prng.between(4, 6);
    return op === OpCode.createContainer ? 4 : this.#prng.between(0, 3);
  }

  #version(): number {
    return this.#prng.chance(0.6) ? -1 : this.#int();
  }

  #small(): number {
    return this.#prng.chance(0.9) ? this.#prng.between(0, 6) : this.#int();
  }

  #int(): number {
    return extremeInt(this.#prng);
  }
}
