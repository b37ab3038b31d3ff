/**
 * Whether a voter's disk still holds everything it ever vouched for. Only such a voter may be
 * counted; another one may hold nothing of what a majority with it once made durable.
 */

/**
 * `whole`: yes. `lost`: no, or nobody can tell: the data was damaged, or older than it should be.
 * `new`: there is no data, because the server never ran or because its disk was emptied; nobody can
 * tell these two apart by that disk alone.
 */
export type Standing = 'whole' | 'lost' | 'new';

export function isStanding(value: unknown): value is Standing {
  return value === 'whole' || value === 'lost' || value === 'new';
}
