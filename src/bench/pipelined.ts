/** Requests in flight while nodes are made and removed: below what a server takes before it throttles. */
const IN_FLIGHT = 500;

/** Calls for every item, a few hundred at a time, and resolves when all are done. */
export async function pipelined<T>(
  items: readonly T[],
  call: (item: T) => Promise<void>,
): Promise<void> {
  const queue = items.values();
  const worker = async (): Promise<void> => {
    for (const item of queue) await call(item);
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, worker));
}
