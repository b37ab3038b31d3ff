/** What a watch notification says, in the numbers of its wire record. */

/** Event types a server sends; the client library makes all others itself. */
export const EventType = {
  nodeCreated: 1,
  nodeDeleted: 2,
  nodeDataChanged: 3,
  nodeChildrenChanged: 4,
} as const;
export type EventType = (typeof EventType)[keyof typeof EventType];

/** The only state a server ever puts into a notification, read-only servers included. */
export const STATE_SYNC_CONNECTED = 3;
