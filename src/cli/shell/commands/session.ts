/** Commands about the shell and its session. */

import { VERSION_LINE } from '../../../server/version.ts';
import { type Command, usageText, wordAt } from '../command.ts';
import { CommandError } from '../command-error.ts';
import { usageLines } from '../usage.ts';

const HISTORY_SHOWN = 10;

export const addAuthCommand: Command = {
  name: 'addauth',
  usage: 'scheme auth',
  summary: 'who you are: addauth digest user:password',
  options: {},
  wordsMin: 1,
  run: async (call) => {
    const scheme = wordAt(call, 0);
    await call.client.addAuth(scheme, call.words[1] ?? '');
    call.out.answer([], { added: scheme });
  },
};

export const whoAmICommand: Command = {
  name: 'whoami',
  usage: '',
  summary: 'who the server takes you for',
  options: {},
  run: async ({ client, out, signal }) => {
    const identities = await client.whoAmI({ signal });
    const lines = identities.map(({ scheme, user }) => `${scheme}: ${user}`);
    out.answer(['Auth scheme: User', ...lines], identities);
  },
};

export const versionCommand: Command = {
  name: 'version',
  usage: '',
  summary: 'the release of this shell',
  options: {},
  run: ({ out, words }) => {
    if (words.length > 0) throw new CommandError(usageText(versionCommand));
    out.answer([`ZooKeeper CLI version: ${VERSION_LINE}`], { version: VERSION_LINE });
  },
};

export const connectCommand: Command = {
  name: 'connect',
  usage: 'host:port',
  summary: 'a new session, with other servers or the same',
  isLocal: true,
  run: async ({ out, shell, words }) => {
    await shell.connect(words[0] ?? shell.host);
    out.answer([], { connecting: shell.host });
  },
};

export const closeCommand: Command = {
  name: 'close',
  usage: '',
  summary: 'ends the session',
  run: async ({ out, shell }) => {
    await shell.close();
    out.answer([], { closed: true });
  },
};

function quitCommandOf(name: string): Command {
  return {
    name,
    usage: '',
    summary: 'ends session and shell',
    isLocal: true,
    run: ({ shell }) => shell.quit(),
  };
}

export const quitCommand = quitCommandOf('quit');
export const exitCommand = quitCommandOf('exit');

export const historyCommand: Command = {
  name: 'history',
  usage: '',
  summary: 'the last lines, with their numbers',
  isLocal: true,
  run: ({ out, shell }) => {
    const shown: { number: number; line: string }[] = [];
    for (let number = shell.commandCount - HISTORY_SHOWN; number <= shell.commandCount; number++) {
      const line = shell.history.get(number);
      if (line !== undefined) shown.push({ number, line });
    }
    out.answer(
      shown.map(({ number, line }) => `${number} - ${line}`),
      shown,
    );
  },
};

export const redoCommand: Command = {
  name: 'redo',
  usage: 'cmdno',
  summary: 'executes a line of the history again',
  isLocal: true,
  run: async ({ shell, words }) => {
    if (words[0] === undefined) throw new CommandError(usageText(redoCommand));
    const number = Number(words[0]);
    if (!Number.isInteger(number) || number < 0 || number >= shell.commandCount) {
      throw new CommandError('Command index out of range');
    }
    await shell.redo(number);
  },
};

export const helpCommand: Command = {
  name: 'help',
  usage: '[command]',
  summary: 'all commands, or what one does',
  isLocal: true,
  run: ({ out, shell, words }) => {
    const [name] = words;
    if (name === undefined) {
      out.answer(
        usageLines(shell.commands),
        [...shell.commands.values()].map(({ name, usage, summary }) => ({ name, usage, summary })),
      );
      return;
    }
    const command = shell.commands.get(name);
    if (command === undefined) {
      throw new CommandError(`Command not found: Command not found ${name}`, 'NOT_FOUND');
    }
    const { usage, summary } = command;
    out.answer([usageText(command), `\t${summary}`], { name, usage, summary });
  },
};
