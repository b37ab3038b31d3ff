/**
 * Moments between two effects, by name: where a process that dies leaves the most half done. On a
 * real machine nobody listens to them. The simulator does, and kills.
 */
export const FAULT_SITES = [
  /** The core wants the next effect carried out. */
  'effect',
  /** A group is about to be written to the log. */
  'logWrite',
  /** A group is durable, and nobody was told yet. */
  'logWritten',
  /** A transaction is applied, and its reply is on its way. */
  'applied',
  'checkpointBegun',
  /** A checkpoint counts; the log before it and what it replaced are still there. */
  'checkpointCommitted',
  'logTrimmed',
  /** A snapshot from the leader is durable, and the log does not name it yet. */
  'snapshotStaged',
  /** The log names the snapshot, and the old state is still in use. */
  'snapshotNamed',
  /** The new state is in use, and the old one still on the disk. */
  'stateSwitched',
  /** A new server has a state and no log. */
  'stateMade',
  /** Of damaged data the one store was moved aside and the other not. */
  'halfSetAside',
] as const;
export type FaultSite = (typeof FAULT_SITES)[number];
