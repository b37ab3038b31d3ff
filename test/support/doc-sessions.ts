/** Sessions at a terminal as documents show them: blocks of `console`, whose commands begin with `$ `. */

export interface Step {
  readonly command: string;
  /** What the document shows, without the last line end. */
  readonly shown: string;
}

/** The blocks of a document in their order. */
export function sessionsOf(document: string): Step[][] {
  const blocks = document.matchAll(/^```console\n([\s\S]*?)^```$/gm);
  return [...blocks].map(([, text = '']) => stepsOf(text));
}

function stepsOf(text: string): Step[] {
  const [, ...parts] = text.split(/^\$ /m);
  return parts.map((part) => {
    const [command = '', ...lines] = part.trimEnd().split('\n');
    return { command, shown: lines.join('\n') };
  });
}

const MARK = '@@step';

/** One script for all commands of a session, whose output `outputsOf` takes apart. */
export function scriptOf(commands: readonly string[]): string {
  return commands.map((command) => `echo ${MARK}\n{ ${command}\n} 2>&1`).join('\n');
}

/** What each command printed, without the last line end. */
export function outputsOf(output: string): string[] {
  return output
    .split(`${MARK}\n`)
    .slice(1)
    .map((text) => text.trimEnd());
}
