// What failed, and why, in the last lines of a run: of thousands of tests nobody sees the one that failed.

/** A reporter of node:test beside another one. Prints nothing when all is well. */
// biome-ignore lint/style/noDefaultExport: node:test takes a reporter as a module's default.
export default async function* failures(events) {
  const lines = [];
  const names = [];
  for await (const { type, data } of events) {
    if (type === 'test:start') names[data.nesting] = data.name;
    if (type !== 'test:fail' || data.todo !== undefined) continue;
    const { error } = data.details;
    if (error.failureType === 'subtestsFailed') continue;
    const name = [...names.slice(0, data.nesting), data.name].join(' > ');
    const reason = String(error.cause?.stack ?? error.cause ?? error.message);
    lines.push(
      `# failed: ${name} (${data.file})`,
      ...reason.split('\n').map((line) => `#   ${line}`),
    );
  }
  if (lines.length > 0) yield `${lines.join('\n')}\n`;
}
