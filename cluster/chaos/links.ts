/** What lies between the servers of a chaos run, and between them and their clients. */

import type { Address } from '../../src/runtime/runtime.ts';

/** Where a server is, as somebody else sees it. */
export interface ServerAddress {
  readonly host: string;
  readonly clientPort: number;
  readonly quorumPort: number;
  readonly electionPort: number;
}

export interface Links {
  readonly kind: 'namespaces' | 'proxies';
  /** Where server `id` listens. */
  own(id: number): ServerAddress;
  /** Where server `from` finds server `id`. */
  seenFrom(from: number, id: number): ServerAddress;
  /** Where clients find server `id`. */
  forClients(id: number): Address;
  /** The same program, run at server `id`'s place in the network. */
  command(id: number, command: readonly string[]): string[];
  /** Nothing that `from` sends reaches `to`, and nobody is told. */
  cut(from: number, to: number): Promise<void>;
  /** The server's cable is pulled: no server and no client reaches it, and nobody is told. */
  unplug(id: number): Promise<void>;
  /** What the server sends to other servers is late, and trickles. */
  slow(id: number): Promise<void>;
  /** Ends whatever was done to the links. */
  mend(): Promise<void>;
  close(): Promise<void>;
}
