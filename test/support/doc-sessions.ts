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

/** A line typed into the shell. */
export interface Exchange {
  readonly prompt: string;
  readonly line: string;
  /** What the shell printed, without blanks and line ends around it. */
  readonly shown: string;
}

export interface ShellSession {
  /** What is printed before the first prompt and tells of the connection. */
  readonly greeting: string;
  readonly exchanges: readonly Exchange[];
}

/** The blocks of a document that show the shell's prompt. */
export function shellSessionsOf(document: string): ShellSession[] {
  const blocks = [...document.matchAll(/^```\n([\s\S]*?)^```$/gm)].map(([, text = '']) => text);
  return blocks.filter((text) => text.includes('\n[zk: ')).map(shellSessionOf);
}

function shellSessionOf(text: string): ShellSession {
  const [head = '', ...parts] = text.split(/^(?=\[zk: )/m);
  const exchanges = parts.map((part) => {
    const [, prompt = '', line = '', shown = ''] =
      /^(\[zk: [^\]]*\] )(.*)\n([\s\S]*)$/.exec(part) ?? [];
    return { prompt, line, shown: shown.trim() };
  });
  return { greeting: /^WATCHER::[\s\S]*/m.exec(head)?.[0].trim() ?? '', exchanges };
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
