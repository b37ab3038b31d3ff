/** The two ways to a configuration: a `zoo.cfg` with its `myid`, or a program's options. */

import { RuntimeError, type Storage } from '../runtime/runtime.ts';
import { buildConfig, myIdPath } from './build-config.ts';
import type { ServerConfig } from './config.ts';
import { ConfigError } from './config-error.ts';
import {
  type BooleanConfigKey,
  CONFIG_KEYS,
  type ConfigKey,
  type IntegerConfigKey,
  isConfigKey,
  type TextConfigKey,
} from './config-keys.ts';
import type { MyId } from './membership.ts';
import { parseProperties } from './properties.ts';
import { type Setting, Settings } from './settings.ts';

/**
 * Every key of `zoo.cfg` by its own name, plus the members and the own number.
 * @example { clientPort: 2181, dataDir: './data' }
 * @example { serverId: 1, servers: { 1: 'a:2888:3888', 2: 'b:2888:3888', 3: 'c:2888:3888' } }
 */
export type ConfigOptions = { readonly [K in IntegerConfigKey]?: number | undefined } & {
  readonly [K in BooleanConfigKey]?: boolean | undefined;
} & { readonly [K in TextConfigKey]?: string | undefined } & {
  /** What the file `myid` would say. */
  readonly serverId?: number | undefined;
  /** What would follow `server.N=`, by N. */
  readonly servers?: Readonly<Record<number, string>> | undefined;
};

type TextReader = Pick<Storage, 'readText'>;

/** What a program need not say. */
const OPTION_DEFAULTS: readonly (readonly [ConfigKey, string])[] = [
  ['clientPort', '2181'],
  ['dataDir', './data'],
  ['tickTime', '2000'],
  ['initLimit', '10'],
  ['syncLimit', '5'],
];

/** What is said beside a `zoo.cfg`. */
export interface BesideFile {
  /** Win over the file: from flags. */
  readonly overrides?: readonly Setting[];
  /** Give way to the file: from the properties of a Java machine. */
  readonly defaults?: readonly Setting[];
  /** What `myid` would hold; read from `dataDir` when it is left out. */
  readonly myId?: MyId | undefined;
}

/** Reads a `zoo.cfg` and the `myid` in its `dataDir`. Rejects with `ConfigError`. */
export async function loadConfig(
  storage: TextReader,
  file: string,
  { overrides = [], defaults = [], myId }: BesideFile = {},
): Promise<ServerConfig> {
  const text = await readConfigText(storage, file);
  if (text === undefined) {
    const expected = 'the path of a configuration file';
    throw new ConfigError({ where: file, problem: 'there is no such file', expected });
  }
  const settings = new Settings(file, [...defaults, ...parseZooCfg(text, file), ...overrides]);
  return configFromSettings(storage, settings, myId);
}

/** Like `loadConfig` without a file: a standalone server on port 2181 with `./data` unless the settings say more. */
export function configFromFlags(
  storage: TextReader,
  flags: readonly Setting[],
  myId?: MyId,
): Promise<ServerConfig> {
  const settings = new Settings('options', [...defaultSettings(), ...flags]);
  return configFromSettings(storage, settings, myId);
}

/** The configuration of a program that starts a server itself. Throws `ConfigError`. */
export function configFromOptions(options: ConfigOptions = {}): ServerConfig {
  const settings = new Settings('options', [...defaultSettings(), ...optionSettings(options)]);
  const { serverId } = options;
  return buildConfig(settings, {
    where: 'options.serverId',
    text: serverId === undefined ? undefined : String(serverId),
  });
}

/** The text of a `zoo.cfg` or a `myid`; undefined when there is none. Rejects with a `ConfigError` for what cannot be read. */
export async function readConfigText(
  storage: TextReader,
  file: string,
): Promise<string | undefined> {
  try {
    return await storage.readText(file);
  } catch (error) {
    if (!(error instanceof RuntimeError)) throw error;
    const expected = 'a file that this user may read';
    throw new ConfigError({ where: file, problem: error.message, expected });
  }
}

/** The settings of a file in their order, duplicates included. Throws `ConfigError` when it cannot be read. */
export function parseZooCfg(text: string, file: string): Setting[] {
  const parsed = parseProperties(text);
  if (!parsed.ok) {
    const { line, found, expected } = parsed.error;
    throw new ConfigError({ where: `${file}:${line}`, line, key: found, expected });
  }
  const settings: Setting[] = [];
  for (const { key, value, line } of parsed.properties) {
    // The original takes port 0 in a file for "not set"; only programs may ask for any free port.
    if (key === 'clientPort' && value === '0') continue;
    settings.push({ key: key.trim(), value, line, where: `${file}:${line}` });
  }
  return settings;
}

async function configFromSettings(
  storage: TextReader,
  settings: Settings,
  myId: MyId | undefined,
): Promise<ServerConfig> {
  if (myId !== undefined) return buildConfig(settings, myId);
  const path = myIdPath(settings);
  return buildConfig(settings, { where: path, text: await readConfigText(storage, path) });
}

function defaultSettings(): Setting[] {
  return OPTION_DEFAULTS.map(([key, value]) => optionSetting(key, value));
}

function optionSettings(options: ConfigOptions): Setting[] {
  const settings: Setting[] = [];
  for (const [key, value] of Object.entries(options)) {
    if (isConfigKey(key) && value !== undefined) {
      settings.push(optionSetting(key, optionText(key, value)));
    }
  }
  for (const [id, line] of Object.entries(options.servers ?? {})) {
    settings.push(optionSetting(`server.${id}`, line));
  }
  return settings;
}

function optionSetting(key: string, value: string): Setting {
  return { key, value: value.trim(), where: `options.${key}`, line: undefined };
}

function optionText(key: ConfigKey, value: unknown): string {
  const spec = CONFIG_KEYS[key];
  if (spec.kind === 'boolean' && typeof value === 'boolean') return spec.words[value ? 0 : 1];
  return String(value);
}
