/** The list of all commands. */

import { compareNames } from './branch.ts';
import { type Command, usageText } from './command.ts';

/** As the original prints it for an unknown command, in its order. */
export function usageLines(commands: ReadonlyMap<string, Command>): string[] {
  const sorted = [...commands.values()].sort((one, other) => compareNames(one.name, other.name));
  return [
    'ZooKeeper -server host:port -client-configuration properties-file cmd args',
    ...sorted.map((command) => `\t${usageText(command)}`),
  ];
}
