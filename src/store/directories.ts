/** Where a server keeps what, below the directories that its configuration names. */

/** The store of the log (txn-log.ts). */
export function logDirectory(dataLogDir: string): string {
  return `${dataLogDir}/log`;
}

/** The store of the state (state-store.ts). */
export function stateDirectory(dataDir: string): string {
  return `${dataDir}/state`;
}

/**
 * Says that the data were imported from a directory of the original's, and up to which zxid: that
 * directory may be this one, and must not have gone on since.
 */
export function importMarker(dataDir: string): string {
  return `${dataDir}/imported-from-apache`;
}
