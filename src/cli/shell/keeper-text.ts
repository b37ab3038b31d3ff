/** Results of operations in the original's words. */

import { KeeperError, type KeeperErrorCode } from '../../client/index.ts';

const GENERAL: Partial<Record<KeeperErrorCode, string>> = {
  SYSTEM_ERROR: 'SystemError',
  RUNTIME_INCONSISTENCY: 'RuntimeInconsistency',
  DATA_INCONSISTENCY: 'DataInconsistency',
  CONNECTION_LOSS: 'ConnectionLoss',
  MARSHALLING_ERROR: 'MarshallingError',
  UNIMPLEMENTED: 'Unimplemented',
  OPERATION_TIMEOUT: 'OperationTimeout',
  NO_NODE: 'NoNode',
  INVALID_ACL: 'InvalidACL',
  AUTH_FAILED: 'AuthFailed',
  SESSION_EXPIRED: 'Session expired',
  SESSION_MOVED: 'Session moved',
  EPHEMERAL_ON_LOCAL_SESSION: 'Ephemeral node on local session',
  NO_WATCHER: 'No such watcher',
  RECONFIG_DISABLED: 'Reconfig is disabled',
  SESSION_CLOSED_REQUIRE_SASL_AUTH: 'Session closed because client failed to authenticate',
  THROTTLED_OP: 'Op throttled due to high load',
};

/** These have a sentence of their own, in front of the path. */
const SENTENCES: Partial<Record<KeeperErrorCode, string>> = {
  NO_NODE: 'Node does not exist: ',
  NO_CHILDREN_FOR_EPHEMERALS: 'Ephemerals cannot have children: ',
  NODE_EXISTS: 'Node already exists: ',
  NOT_EMPTY: 'Node not empty: ',
  NOT_READ_ONLY: 'Not a read-only call: ',
  INVALID_ACL: 'Acl is not valid : ',
  NO_AUTH: 'Insufficient permission : ',
  BAD_ARGUMENTS: 'Arguments are not valid : ',
  BAD_VERSION: 'version No is not valid : ',
  QUOTA_EXCEEDED: 'Quota has exceeded : ',
};

const RECONFIG_IN_PROGRESS =
  'Another reconfiguration is in progress -- concurrent reconfigs not supported (yet)';
const NEW_CONFIG_NO_QUORUM =
  'No quorum of new config is connected and up-to-date with the leader of last committed config - ' +
  'try invoking reconfiguration after new servers are connected and synced';

/** What the shell prints of a failed operation. */
export function failureText(error: KeeperError): string {
  const { code, path = '' } = error;
  if (code === 'RECONFIG_IN_PROGRESS') return RECONFIG_IN_PROGRESS;
  if (code === 'NEW_CONFIG_NO_QUORUM') return NEW_CONFIG_NO_QUORUM;
  const sentence = SENTENCES[code];
  return sentence === undefined ? generalText(error) : `${sentence}${path}`;
}

/** The text that programs see: `KeeperErrorCode = NoNode for /a`. */
export function generalText(error: KeeperError): string {
  const { code, number, path = '' } = error;
  const name = GENERAL[code];
  if (name === undefined && number === undefined) return error.message;
  const text = `KeeperErrorCode = ${name ?? `Unknown error ${number}`}`;
  return path === '' ? text : `${text} for ${path}`;
}

/** As the client of the original says it of an ACL without entries, before any server is asked. */
export function emptyAclError(): KeeperError {
  return new KeeperError('INVALID_ACL', 'acl', { path: 'null' });
}
