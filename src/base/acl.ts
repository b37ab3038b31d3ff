/** Access control entries as clients send them and nodes keep them. */

/** Permission bits. */
export const Perm = { read: 1, write: 2, create: 4, delete: 8, admin: 16, all: 31 } as const;

/** An identity: of a client's connection, or named in an ACL entry. */
export interface Identity {
  readonly scheme: string;
  readonly id: string;
}

/** One entry of a node's ACL; unknown permission bits are kept and ignored, as the original does. */
export interface Acl {
  readonly perms: number;
  readonly scheme: string;
  readonly id: string;
}

/** The ACL of nodes open to everybody: one shared object. */
export const OPEN_ACL: readonly Acl[] = Object.freeze([
  Object.freeze({ perms: Perm.all, scheme: 'world', id: 'anyone' }),
]);
