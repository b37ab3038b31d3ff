/** Reads one `zoo.cfg` for a check: as a start would, but on past the first mistake. */

import type { Storage } from '../../runtime/runtime.ts';
import { buildConfig, doubledKeys, myIdPath } from '../build-config.ts';
import type { ServerConfig } from '../config.ts';
import { ConfigError } from '../config-error.ts';
import { parseZooCfg, readConfigText } from '../load-config.ts';
import { isMemberKey, type Member, parseMemberLine } from '../member-line.ts';
import type { MyId } from '../membership.ts';
import { type Setting, Settings } from '../settings.ts';
import { type Finding, mistakeFinding, note, warningFinding } from './finding.ts';

/** One file, as far as it can be understood. */
export interface ReadConfig {
  readonly file: string;
  readonly settings: Settings;
  /** Those whose lines are well formed. */
  readonly members: readonly Member[];
  /** undefined when no server would start with this file. */
  readonly config: ServerConfig | undefined;
  readonly findings: readonly Finding[];
}

/** The settings of a file, or why it has none. */
export async function readSettings(
  storage: Pick<Storage, 'readText'>,
  file: string,
): Promise<Setting[] | Finding> {
  try {
    const text = await readConfigText(storage, file);
    if (text !== undefined) return parseZooCfg(text, file);
    const expected = 'the path of a configuration file';
    const problem = 'there is no such file';
    return mistakeFinding('configuration', new ConfigError({ where: file, problem, expected }));
  } catch (error) {
    if (error instanceof ConfigError) return mistakeFinding('configuration', error);
    throw error;
  }
}

/** Which server the file is for: `myid` in its `dataDir`, or why that says nothing. */
export async function readMyId(
  storage: Pick<Storage, 'readText'>,
  settings: Settings,
): Promise<MyId | Finding> {
  const where = settings.text('dataDir') === undefined ? settings.source : myIdPath(settings);
  try {
    return { where, text: await readConfigText(storage, where) };
  } catch (error) {
    if (error instanceof ConfigError) return mistakeFinding('myid', error);
    throw error;
  }
}

/** Everything that is wrong with one file by itself. */
export function examineSettings(file: string, written: readonly Setting[], myId: MyId): ReadConfig {
  const settings = new Settings(file, written);
  const findings: Finding[] = [];
  const members: Member[] = [];
  for (const setting of settings.members()) {
    const member = attempt(() => parseMemberLine(setting));
    if (member instanceof ConfigError) findings.push(mistakeFinding('members', member));
    else members.push(member);
  }
  // Who is left when a line is out says nothing of the whole.
  const isListWhole = members.length === settings.members().length;
  const config = isListWhole ? build(settings, myId, findings) : undefined;
  const warnings = config?.warnings ?? doubledKeys(settings);
  findings.push(...warnings.map(warningFinding));
  if (config !== undefined) {
    for (const { key, where, reason } of config.ignored) {
      findings.push(note('configuration', where, `${key} has no effect: ${reason}`));
    }
  }
  return { file, settings, members, config, findings };
}

/** Leaves out one wrong setting after the other, until what remains can be judged. */
function build(settings: Settings, myId: MyId, findings: Finding[]): ServerConfig | undefined {
  let rest = settings;
  for (let isRight = true; ; isRight = false) {
    const built = attempt(() => buildConfig(rest, myId));
    if (!(built instanceof ConfigError)) return isRight ? built : undefined;
    findings.push(mistakeFinding(topicOf(built, myId), built));
    const { key } = built;
    if (key === undefined || isMemberKey(key) || rest.find(key) === undefined) return undefined;
    rest = new Settings(
      settings.source,
      rest.all().filter((setting) => setting.key !== key),
    );
  }
}

function topicOf({ key, where }: ConfigError, myId: MyId) {
  if (where === myId.where) return 'myid';
  return key !== undefined && isMemberKey(key) ? 'members' : 'configuration';
}

function attempt<T>(work: () => T): T | ConfigError {
  try {
    return work();
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
}
