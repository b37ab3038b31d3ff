/** The auth packet: what a client proves adds identities to its connection; and whoAmI, which tells them. */

import { createHash } from 'node:crypto';
import type { Identity } from '../../base/acl.ts';
import type { JuteWriter } from '../../protocol/jute-writer.ts';
import {
  type AuthPacket,
  type ClientInfo,
  encodeWhoAmIReply,
} from '../../protocol/records/auth.ts';

const SUPER_USER: Identity = { scheme: 'super', id: '' };

/**
 * The identities that the packet proves, none when it proves nothing. `digest` takes any bytes
 * (whether they name a user is up to the ACLs) and makes who knows the super user's password one
 * more; `ip` only confirms the address; no packet proves `world` or a scheme this server has no
 * provider for. `superDigest` is `user:hash`, undefined when there is no super user.
 */
export function authenticate(
  packet: AuthPacket,
  remoteHost: string,
  superDigest: string | undefined,
): readonly Identity[] {
  switch (packet.scheme) {
    case 'digest': {
      if (packet.auth === null) return [];
      const identity = { scheme: 'digest', id: digestId(packet.auth) };
      return identity.id === superDigest ? [SUPER_USER, identity] : [identity];
    }
    case 'ip':
      return [{ scheme: 'ip', id: remoteHost }];
    default:
      return [];
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

/** The reply's record of whoAmI: every identity of the connection, digests without their hash. */
export function whoAmI(identities: readonly Identity[], writer: JuteWriter): void {
  encodeWhoAmIReply(writer, identities.map(clientInfo));
}

function clientInfo({ scheme, id }: Identity): ClientInfo {
  const colon = scheme === 'digest' ? id.indexOf(':') : -1;
  return { scheme, user: colon === -1 ? id : id.slice(0, colon) };
}

/**
 * `user:base64(SHA1(user:password))`; the user ends at the first colon, or is all of it. The hash is
 * that of text, as in the original: bytes that are none in UTF-8 count as U+FFFD.
 */
function digestId(credentials: Uint8Array): string {
  const { buffer, byteOffset, byteLength } = credentials;
  const text = Buffer.from(buffer, byteOffset, byteLength).toString('utf8');
  const colon = text.indexOf(':');
  const user = colon === -1 ? text : text.slice(0, colon);
  return `${user}:${createHash('sha1').update(text, 'utf8').digest('base64')}`;
}
