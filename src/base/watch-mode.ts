/** Kinds of watches, in the numbers of the records that name them. */

/** Which watches checkWatches and removeWatches mean. */
export const WatcherType = {
  children: 1,
  data: 2,
  any: 3,
  persistent: 4,
  recursive: 5,
} as const;
export type WatcherType = (typeof WatcherType)[keyof typeof WatcherType];

/** The modes of addWatch. */
export const WatchMode = { persistent: 0, recursive: 1 } as const;
export type WatchMode = (typeof WatchMode)[keyof typeof WatchMode];
