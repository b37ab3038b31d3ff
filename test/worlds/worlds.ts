/**
 * A small world and everything that can happen in it next. A world is a row of small numbers: the
 * state of each server, each connection, the chronicle, what is left to happen. Everything that is
 * not named here happens at once: votes reach whoever is up, and a server that comes or goes is
 * noticed by the others' election ports.
 */

import { Chronicle, startsWith } from './chronicle.ts';
import type { Facts } from './facts.ts';
import { CLOSED, LinkTable, NO_LINK } from './link-table.ts';
import {
  CHRONICLE,
  isAcceptorsEnd,
  type Limits,
  placeOf,
  ROW_WIDTH,
  type Row,
  SIDS,
  SPENT,
  Spent,
  spend,
  spentIn,
} from './row.ts';
import { input, Kind } from './server-input.ts';
import { PATIENCE_MS, type ServerSteps, WAIT_MS } from './server-steps.ts';
import type { Output } from './server-turn.ts';

/** What is reached from a row by one transition; the row is used again. */
export type Reached = (row: Row, violation: string | undefined, text: string) => void;

const MAJORITY = 2;
/** A server that asks again and again without anything having happened is not followed for ever. */
const ROUND_MAX = 6;
const WHOLE_TURN = Number.POSITIVE_INFINITY;

interface Letter {
  readonly from: number;
  readonly to: number;
  readonly message: number;
}

/** Something that happens to one server, which answers with one turn or, to many messages, with several. */
interface Event {
  readonly sid: number;
  readonly codes: readonly number[];
  /** The connection that the messages come from; undefined when it is something else. */
  readonly place: number | undefined;
  readonly spends: Spent | undefined;
  readonly text: string;
}

export class Worlds {
  readonly steps: ServerSteps;
  readonly links = new LinkTable();
  readonly chronicle = new Chronicle();
  readonly #limits: Limits;
  /** The limits by what they limit. */
  #left: readonly number[];
  /** Whether transitions are told in words: for replays only. */
  isTelling = false;
  #from: Row = new Int32Array(ROW_WIDTH);
  #row: Row = new Int32Array(ROW_WIDTH);
  #reached: Reached = () => undefined;
  #letters: Letter[] = [];
  #violation: string | undefined;

  constructor(steps: ServerSteps, limits: Limits) {
    this.steps = steps;
    this.#limits = limits;
    const { writes, leaderChanges, crashes, cuts, trims } = limits;
    this.#left = [writes, leaderChanges, crashes, cuts, trims];
  }

  /** Three servers that start for the first time, all at once. */
  first(): Row {
    this.#row = new Int32Array(ROW_WIDTH);
    this.#row[CHRONICLE] = this.chronicle.empty;
    this.#letters = [];
    this.#violation = undefined;
    for (const sid of SIDS) this.#row[sid - 1] = this.steps.empty(sid);
    for (const sid of SIDS) this.#turn(sid, input(Kind.start, 0, 0b1110));
    this.#deliverLetters();
    return this.#row.slice();
  }

  /** The same world with everything still to happen. */
  unspent(row: Row): Row {
    const copy = row.slice();
    copy[SPENT] = 0;
    return copy;
  }

  isServing(row: Row): boolean {
    return SIDS.every((sid) => this.#factsIn(row, sid).servingEpoch > 0);
  }

  /** The same after they have elected a leader and all serve; nothing else happened. */
  settled(): Row {
    const left = this.#left;
    this.#left = [];
    let row = this.unspent(this.first());
    while (!this.isServing(row)) {
      const nexts: Row[] = [];
      this.expand(row, (reached) => {
        if (nexts.length === 0) nexts.push(reached.slice());
      });
      const next = nexts[0];
      if (next === undefined) throw new Error('three servers that start together do not settle');
      row = next;
    }
    this.#left = left;
    return this.unspent(row);
  }

  /** Calls back with each world that can be next, always in the same order. */
  expand(from: Row, reached: Reached): void {
    this.#from = from;
    this.#reached = reached;
    for (const acceptor of SIDS) {
      for (const dialler of SIDS) if (dialler !== acceptor) this.#alongLink(dialler, acceptor);
    }
    for (const sid of SIDS) this.#ofServer(sid);
  }

  // What can happen -----------------------------------------------------------------------------

  #alongLink(dialler: number, acceptor: number): void {
    const place = placeOf(dialler, acceptor);
    const number = this.#from[place] ?? NO_LINK;
    if (number === NO_LINK) return;
    const { toAcceptor, toDialler, hasAcceptor, hasDialler } = this.links.get(number);
    if (toAcceptor.length > 0) this.#deliver(place, toAcceptor, acceptor, dialler);
    if (toDialler.length > 0) this.#deliver(place, toDialler, dialler, 0);
    if (!hasAcceptor || !hasDialler || !this.#isLeft(Spent.cuts)) return;
    for (let kept = 0; kept <= toDialler.length; kept++) {
      const broken = this.links.broken(number, kept);
      if (broken === number) continue;
      this.#begin(Spent.cuts);
      this.#row[place] = broken;
      this.#finish(
        this.isTelling ? `connection ${dialler}-${acceptor} breaks behind ${kept} messages` : '',
      );
    }
  }

  /**
   * All that is under way in one direction arrives. That it arrives one by one, with other things
   * happening between, need not be tried: the first could have arrived before the second was sent.
   * `peer`: as in an input.
   */
  #deliver(place: number, messages: readonly number[], sid: number, peer: number): void {
    const codes = messages.map((message) =>
      message === CLOSED ? input(Kind.closed, peer) : input(Kind.deliver, peer, message),
    );
    const text = this.#tellArrival(sid, peer, messages);
    this.#happen({ sid, codes, place, spends: undefined, text });
  }

  #ofServer(sid: number): void {
    const facts = this.#factsIn(this.#from, sid);
    if (!facts.isUp) {
      this.#restart(sid);
      return;
    }
    for (let count = 1; count <= facts.writeCount; count++) {
      this.#event(sid, input(Kind.complete, 0, count), 'writes become durable', undefined, count);
    }
    if (facts.isElecting) {
      this.#event(sid, input(Kind.tick, 0, WAIT_MS), 'has waited for better votes');
    }
    if (facts.isConnecting && this.#factsIn(this.#from, facts.following).isLeader) {
      this.#event(sid, input(Kind.tick, 0, 0), 'dials its leader again');
    }
    if (facts.isLeader || facts.following !== 0) {
      const isHopeless = this.#isHopeless(sid, facts);
      if (isHopeless || this.#isLeft(Spent.cuts)) {
        const spends = isHopeless ? undefined : Spent.cuts;
        this.#event(sid, input(Kind.tick, 0, PATIENCE_MS), 'loses patience', spends);
      }
    }
    if (facts.canPropose && this.#isLeft(Spent.writes)) {
      const payload = spentIn(this.#from, Spent.writes) + 1;
      this.#event(sid, input(Kind.propose, 0, payload), 'proposes write', Spent.writes, payload);
    }
    if (facts.canTrim && this.#isLeft(Spent.trims)) {
      this.#event(sid, input(Kind.trim, 0), 'trims its log', Spent.trims);
    }
    if (this.#isLeft(Spent.crashes)) this.#crashBetweenTurns(sid, facts.writeCount);
  }

  /** Nobody is there for whom it would be worth waiting: sooner or later it gives up. */
  #isHopeless(sid: number, facts: Facts): boolean {
    if (facts.isConnecting) return !this.#factsIn(this.#from, facts.following).isLeader;
    if (!facts.isLeader || facts.canPropose) return false;
    return SIDS.every((dialler) => {
      const number = dialler === sid ? NO_LINK : (this.#from[placeOf(dialler, sid)] ?? NO_LINK);
      return number === NO_LINK || !this.links.get(number).hasAcceptor;
    });
  }

  #event(sid: number, code: number, text: string, spends?: Spent, detail?: number): void {
    const told = this.isTelling ? `server ${sid}: ${text} ${detail ?? ''}`.trimEnd() : '';
    this.#happen({ sid, codes: [code], place: undefined, spends, text: told });
  }

  /** The event as a whole, and as far as the server comes with it when it dies on the way. */
  #happen(event: Event): void {
    this.#begin(event.spends);
    this.#answer(event, event.codes.length);
    this.#finish(event.text);
    if (!this.#isLeft(Spent.crashes)) return;
    for (let turn = 0; turn < event.codes.length; turn++) this.#crashWithin(event, turn);
  }

  /** The server's turns, the first `count` of them. */
  #answer({ sid, codes, place }: Event, count: number): void {
    for (let i = 0; i < count; i++) {
      if (place !== undefined && !this.#takeMessage(place, sid)) return;
      this.#turn(sid, codes[i] ?? 0);
    }
  }

  /** False when the server has closed the connection meanwhile. */
  #takeMessage(place: number, sid: number): boolean {
    const number = this.#row[place] ?? NO_LINK;
    const isAcceptor = isAcceptorsEnd(place, sid);
    const link = this.links.get(number);
    if (!(isAcceptor ? link.hasAcceptor : link.hasDialler)) return false;
    this.#row[place] = this.links.taken(number, isAcceptor);
    return true;
  }

  #crashWithin(event: Event, turn: number): void {
    this.#begin(event.spends);
    this.#answer(event, turn);
    const state = this.#row[event.sid - 1] ?? 0;
    if (!this.steps.facts(state).isUp) return;
    const { next, outputs } = this.steps.step(state, event.codes[turn] ?? 0);
    // Writes that are asked for only after the place where it dies cannot be kept.
    let kept = this.steps.facts(next).writeCount;
    for (const { kind } of outputs) if (kind === 'persist') kept--;
    for (let cut = 0; cut < outputs.length; cut++) {
      const kind = outputs[cut]?.kind;
      if (kind === 'persist') kept++;
      // What comes before a message is not to be told apart from what comes before the write before it.
      if (kind === 'send' || kind === 'notify') this.#crashAt(event, turn, cut, kept);
    }
  }

  #crashAt(event: Event, turn: number, cut: number, kept: number): void {
    for (let count = 0; count <= kept; count++) {
      this.#begin(event.spends);
      spend(this.#row, Spent.crashes);
      this.#answer(event, turn);
      if (event.place !== undefined && !this.#takeMessage(event.place, event.sid)) return;
      this.#turn(event.sid, event.codes[turn] ?? 0, cut);
      this.#die(event.sid, count);
      this.#finish(this.isTelling ? `${event.text}; dies there, ${count} writes kept` : '');
    }
  }

  #crashBetweenTurns(sid: number, writeCount: number): void {
    for (let count = 0; count <= writeCount; count++) {
      this.#begin(Spent.crashes);
      this.#die(sid, count);
      this.#finish(this.isTelling ? `server ${sid}: dies, ${count} writes kept` : '');
    }
  }

  #die(sid: number, kept: number): void {
    this.#turn(sid, input(Kind.crash, 0, kept));
    for (const other of SIDS) {
      if (other === sid) continue;
      this.#closeEnd(placeOf(sid, other), false);
      this.#closeEnd(placeOf(other, sid), true);
    }
    for (const other of SIDS) {
      if (other !== sid) this.#turnIfUp(other, input(Kind.reachable, sid, 0));
    }
  }

  #restart(sid: number): void {
    this.#begin(undefined);
    let peers = 0;
    for (const other of SIDS) if (this.#factsIn(this.#row, other).isUp) peers += 2 ** other;
    this.#turn(sid, input(Kind.start, 0, peers));
    for (const other of SIDS) {
      if (other !== sid) this.#turnIfUp(other, input(Kind.reachable, sid, 1));
    }
    this.#finish(this.isTelling ? `server ${sid}: starts` : '');
  }

  // One transition ------------------------------------------------------------------------------

  #begin(spends: Spent | undefined): void {
    this.#row.set(this.#from);
    this.#letters.length = 0;
    this.#violation = undefined;
    if (spends !== undefined) spend(this.#row, spends);
  }

  #finish(text: string): void {
    this.#deliverLetters();
    if (this.#isBeyondLimits()) return;
    this.#violation ??= this.#lostWrite();
    this.#reached(this.#row, this.#violation, text);
  }

  #isBeyondLimits(): boolean {
    const changes = spentIn(this.#row, Spent.leaderChanges);
    if (changes > this.#limits.leaderChanges) return true;
    return SIDS.some((sid) => this.#factsIn(this.#row, sid).round > ROUND_MAX);
  }

  /** Every committed write is on the disks of a majority, so every election finds it. */
  #lostWrite(): string | undefined {
    const { committed } = this.chronicle.get(this.#row[CHRONICLE] ?? 0);
    if (committed.length === 0) return undefined;
    let holders = 0;
    for (const sid of SIDS) {
      if (startsWith(this.#factsIn(this.#row, sid).history, committed)) holders++;
    }
    return holders >= MAJORITY ? undefined : 'INV-13: an acknowledged write is on too few disks';
  }

  #turnIfUp(sid: number, code: number): void {
    if (this.#factsIn(this.#row, sid).isUp) this.#turn(sid, code);
  }

  /** One server's turn; only the first `cut` of its effects are seen by others. */
  #turn(sid: number, code: number, cut: number = WHOLE_TURN): void {
    const state = this.#row[sid - 1] ?? 0;
    const wasLeader = this.steps.facts(state).isLeader;
    const { next, outputs } = this.steps.step(state, code);
    this.#row[sid - 1] = next;
    const facts = this.steps.facts(next);
    if (facts.isLeader && !wasLeader) spend(this.#row, Spent.leaderChanges);
    const record = this.#row[CHRONICLE] ?? 0;
    const entered = this.chronicle.enter(record, sid, next, facts);
    this.#row[CHRONICLE] = entered.record;
    this.#violation ??= entered.violation;
    const count = Math.min(cut, outputs.length);
    for (let i = 0; i < count; i++) {
      const output = outputs[i];
      if (output !== undefined) this.#carryOut(sid, output);
    }
  }

  #carryOut(sid: number, output: Output): void {
    switch (output.kind) {
      case 'persist':
        return;
      case 'send':
        this.#send(sid, output.peer, output.message);
        return;
      case 'notify':
        this.#letters.push({ from: sid, to: output.peer, message: output.message });
        return;
      case 'close':
        if (output.peer !== 0) this.#closeEnd(placeOf(output.peer, sid), true);
        else for (const other of SIDS) this.#closeEnd(placeOf(sid, other), false);
        return;
      case 'dial':
        this.#dial(sid, output.peer);
        return;
      case 'violation':
        this.#violation ??= output.text;
        return;
    }
  }

  #send(sid: number, peer: number, message: number): void {
    if (peer !== 0) {
      const place = placeOf(peer, sid);
      this.#row[place] = this.links.sentByAcceptor(this.#row[place] ?? NO_LINK, message);
      return;
    }
    for (const other of SIDS) {
      const place = placeOf(sid, other);
      const number = this.#row[place] ?? NO_LINK;
      if (number === NO_LINK || !this.links.get(number).hasDialler) continue;
      this.#row[place] = this.links.sentByDialler(number, message);
    }
  }

  #dial(sid: number, leader: number): void {
    if (!this.#factsIn(this.#row, leader).isLeader) {
      this.#turn(sid, input(Kind.dialFailed, 0));
      return;
    }
    this.#row[placeOf(sid, leader)] = this.links.fresh;
    this.#turn(sid, input(Kind.opened, 0));
    this.#turn(leader, input(Kind.connected, sid));
  }

  #closeEnd(place: number, isAcceptors: boolean): void {
    this.#row[place] = this.links.closed(this.#row[place] ?? NO_LINK, isAcceptors);
  }

  #deliverLetters(): void {
    for (let i = 0; i < this.#letters.length; i++) {
      const letter = this.#letters[i];
      if (letter !== undefined) {
        this.#turnIfUp(letter.to, input(Kind.notified, letter.from, letter.message));
      }
    }
  }

  // Looking -------------------------------------------------------------------------------------

  #factsIn(row: Row, sid: number): Facts {
    return this.steps.facts(row[sid - 1] ?? 0);
  }

  #isLeft(what: Spent): boolean {
    return spentIn(this.#from, what) < (this.#left[what] ?? 0);
  }

  #tellArrival(sid: number, peer: number, messages: readonly number[]): string {
    if (!this.isTelling) return '';
    const from = peer === 0 ? 'its leader' : `server ${peer}`;
    const told = messages.map((message) =>
      message === CLOSED ? 'the end' : JSON.stringify(this.steps.messages.get(message)),
    );
    return `server ${sid}: receives from ${from} ${told.join(', ')}`;
  }
}
