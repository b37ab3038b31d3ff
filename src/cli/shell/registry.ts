/** All commands of the shell, by name. */

import type { Command } from './command.ts';
import { diffCommand } from './commands/comparing.ts';
import { cpCommand, mvCommand } from './commands/copying.ts';
import { deleteAllCommand, rmrCommand } from './commands/deleting.ts';
import { watchCommand } from './commands/following.ts';
import { duCommand, findCommand, treeCommand } from './commands/looking.ts';
import { configCommand, reconfigCommand } from './commands/membership.ts';
import { delQuotaCommand, listQuotaCommand, setQuotaCommand } from './commands/quotas.ts';
import {
  getAclCommand,
  getAllChildrenNumberCommand,
  getCommand,
  getEphemeralsCommand,
  ls2Command,
  lsCommand,
  statCommand,
  syncCommand,
} from './commands/reading.ts';
import {
  addAuthCommand,
  closeCommand,
  connectCommand,
  exitCommand,
  helpCommand,
  historyCommand,
  quitCommand,
  redoCommand,
  versionCommand,
  whoAmICommand,
} from './commands/session.ts';
import { exportCommand, importCommand } from './commands/transfer.ts';
import { addWatchCommand, printWatchesCommand, removeWatchesCommand } from './commands/watches.ts';
import { createCommand, deleteCommand, setAclCommand, setCommand } from './commands/writing.ts';

const ALL: readonly Command[] = [
  addAuthCommand,
  addWatchCommand,
  closeCommand,
  configCommand,
  connectCommand,
  cpCommand,
  createCommand,
  delQuotaCommand,
  deleteAllCommand,
  deleteCommand,
  diffCommand,
  duCommand,
  exitCommand,
  exportCommand,
  findCommand,
  getAclCommand,
  getAllChildrenNumberCommand,
  getCommand,
  getEphemeralsCommand,
  helpCommand,
  historyCommand,
  importCommand,
  listQuotaCommand,
  ls2Command,
  lsCommand,
  mvCommand,
  printWatchesCommand,
  quitCommand,
  reconfigCommand,
  redoCommand,
  removeWatchesCommand,
  rmrCommand,
  setAclCommand,
  setCommand,
  setQuotaCommand,
  statCommand,
  syncCommand,
  treeCommand,
  versionCommand,
  watchCommand,
  whoAmICommand,
];

export const COMMANDS: ReadonlyMap<string, Command> = new Map(
  ALL.map((command) => [command.name, command]),
);
