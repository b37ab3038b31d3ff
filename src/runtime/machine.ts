/**
 * Facts about the machine that only checks before a start ask for: a running server meets them
 * through the network and the storage it uses.
 */

/** What this process may do with a directory. */
export interface DirectoryAccess {
  /** Whether it is there. */
  readonly exists: boolean;
  /** Files can be made in it; when it is not there, it can be made. */
  readonly isWritable: boolean;
  /** It is there and this process has the same owner: what it writes there is no stranger's. */
  readonly isOwn: boolean;
}

export interface Machine {
  /** Addresses that a host name stands for now; empty when nobody knows it. */
  resolve(host: string): Promise<readonly string[]>;
  access(directory: string): Promise<DirectoryAccess>;
  /** The one path of a directory, however it is written; it need not be there. */
  realPath(directory: string): Promise<string>;
}
