/** Runs schedules FROM, FROM + 1, ... of the command line, COUNT of them, until one goes wrong, and says how far it is. */

export async function runStorms(storm: (seed: number) => unknown): Promise<void> {
  const [from = 1, count = 100] = process.argv.slice(2).map(Number);
  for (let seed = from; seed < from + count; seed++) {
    try {
      await storm(seed);
    } catch (error) {
      const [message] = String(error).split('\n');
      process.stdout.write(`done ${seed - from}\nfound ${seed} ${message}\n`);
      process.exitCode = 1;
      return;
    }
    const done = seed - from + 1;
    if (done % 20 === 0 || done === count) process.stdout.write(`done ${done}\n`);
  }
}
