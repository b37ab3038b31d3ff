/** What keeps servers busy in one way or another while they are measured. */

export interface LoadDriver {
  /** Connects and begins; resolves when requests are under way. */
  start(): Promise<void>;
  /** Ends what is under way; resolves when nothing is outstanding, or something failed. */
  stop(): Promise<void>;
  /** Looks at every server for what was acknowledged. What is missing, in sentences. */
  verify(): Promise<readonly string[]>;
  /** Drops all connections. */
  close(): void;
}
