/** The auth packet: what a client proves adds an identity to its connection. */

import { createHash } from 'node:crypto';
import type { Identity } from '../../base/acl.ts';
import type { AuthPacket } from '../../protocol/records/auth.ts';

const COLON = 0x3a;

/**
 * The identity that the packet proves, or undefined when it proves none. `digest` takes any bytes
 * (whether they name a user is up to the ACLs), `ip` only confirms the address, and no packet
 * proves `world` or a scheme this server has no provider for.
 */
export function authenticate(packet: AuthPacket, remoteHost: string): Identity | undefined {
  switch (packet.scheme) {
    case 'digest':
      return packet.auth === null ? undefined : { scheme: 'digest', id: digestId(packet.auth) };
    case 'ip':
      return { scheme: 'ip', id: remoteHost };
    default:
      return undefined;
  }
}

/** The identities with one more, unless it is there already; lists handed out before stay as they are. */
export function withIdentity(
  identities: readonly Identity[],
  added: Identity,
): readonly Identity[] {
  const isKnown = identities.some(({ scheme, id }) => scheme === added.scheme && id === added.id);
  return isKnown ? identities : [...identities, added];
}

/** `user:base64(SHA1(user:password))`; the user ends at the first colon, or is all of it. */
function digestId(credentials: Uint8Array): string {
  const colon = credentials.indexOf(COLON);
  const user = colon === -1 ? credentials : credentials.subarray(0, colon);
  const hash = createHash('sha1').update(credentials).digest('base64');
  return `${new TextDecoder().decode(user)}:${hash}`;
}
