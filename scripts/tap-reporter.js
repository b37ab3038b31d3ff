// TAP in which a failed suite's own line says what failed in it, and why: a reader who is shown only
// that part of the output needs no other.
import { tap } from 'node:test/reporters';

/** A reporter of node:test in place of its own `tap`. */
// biome-ignore lint/style/noDefaultExport: node:test takes a reporter as a module's default.
export default async function* tapWithReasons(events) {
  yield* tap(explained(events));
}

async function* explained(events) {
  // For each level, what has failed there since the test around it began.
  const failed = [];
  for await (const event of events) {
    const { type, data } = event;
    if (type === 'test:pass' || type === 'test:fail') {
      const [below = []] = failed.splice(data.nesting + 1);
      if (type === 'test:fail' && data.todo === undefined) {
        failed[data.nesting] ??= [];
        failed[data.nesting].push(`${data.name}: ${explain(data.details.error, below)}`);
      }
    }
    yield event;
  }
}

/** Puts what failed below a test, and nothing else in it, into the error that is shown for it. */
function explain(error, below) {
  if (error.failureType !== 'subtestsFailed') return error.cause?.message ?? error.message;
  error.message = below.join('\n');
  return error.message;
}
