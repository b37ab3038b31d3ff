/** `watch`: a branch followed live, until Ctrl-C or so many events. */

import { isKeeperError, type WatchedEvent } from '../../../client/index.ts';
import { type Command, type Invocation, intOf, wordAt } from '../command.ts';
import { dataJson, dataText } from '../format.ts';
import { checkedPath } from '../path-text.ts';

export const watchCommand: Command = {
  name: 'watch',
  usage: '[-d] [-n count] path',
  summary: 'tells of every change at and below a path until Ctrl-C; -d with the new data',
  options: { flags: ['d'], values: ['n'] },
  wordsMin: 1,
  isEndless: true,
  run: async (call) => {
    const { client, options, out, signal } = call;
    const path = checkedPath(wordAt(call, 0));
    const text = options.value('n');
    let left = text === undefined ? Number.POSITIVE_INFINITY : intOf(text, '-n argument');
    if (left <= 0) return;
    const events = client.watch(path, { recursive: true, signal });
    await events.ready;
    call.outlive();
    if (!out.isJson) out.note(`following ${path}${left === 1 ? '' : ' (Ctrl-C ends it)'}`);
    for await (const event of events) {
      await show(call, event);
      left -= 1;
      if (left <= 0) return;
    }
  },
};

async function show(call: Invocation, event: WatchedEvent): Promise<void> {
  const { client, options, out, signal } = call;
  const at = new Date();
  const clock = at.toTimeString().slice(0, 8);
  const shown = { at: at.toISOString(), ...event };
  const line = `${clock} ${event.type.padEnd(11)} ${event.path}`;
  if (event.type === 'rearmed') {
    out.answer([`${line} (connected again: changes in between were not told)`], shown);
    return;
  }
  if (!options.has('d') || event.type === 'deleted') {
    out.answer([line], shown);
    return;
  }
  try {
    const { data } = await client.get(event.path, { signal });
    out.answer([`${line} ${dataText(data)}`], { ...shown, ...dataJson(data) });
  } catch (error) {
    // Gone again, or not for these eyes: the event is true all the same.
    if (!isKeeperError(error, 'NO_NODE') && !isKeeperError(error, 'NO_AUTH')) throw error;
    out.answer([line], shown);
  }
}
