/**
 * The server's log: fixed event names with fields, one child per component. Hides the library that
 * writes it, so that programs and tests can put their own in its place.
 */

import { pino } from 'pino';
import { sessionIdHex, type Zxid, zxidHex } from '../base/ids.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';
export type LogFormat = 'text' | 'json';

/** Facts of an event. Numbers named `zxid` or `...Zxid` and bigints are written as hex. */
export type LogFields = Readonly<Record<string, unknown>>;

export interface Log {
  debug(event: string, fields?: LogFields): void;
  info(event: string, fields?: LogFields): void;
  /** A person should look. */
  warn(event: string, fields?: LogFields): void;
  /** This server or connection is done for. */
  error(event: string, fields?: LogFields): void;
}

export interface Logger extends Log {
  /** The same log with the component's name in every line. */
  child(component: string): Logger;
}

export interface LoggerOptions {
  readonly level: LogLevel;
  readonly format: LogFormat;
  /** Written in every line; undefined when there is only one server. */
  readonly serverId?: number | undefined;
}

/** Takes whole lines, each ending in a newline. */
export interface LineSink {
  write(line: string): unknown;
}

/** A logger that writes lines to `sink`. Levels are checked before anything is built. */
export function createLogger(options: LoggerOptions, sink: LineSink): Logger {
  const base = options.serverId === undefined ? {} : { server: options.serverId };
  const lines: LineSink =
    options.format === 'json' ? sink : { write: (line: string) => sink.write(jsonToText(line)) };
  const root = pino<never, boolean>(
    {
      level: options.level,
      base,
      messageKey: 'event',
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }), log: readable },
    },
    { write: (line: string) => void lines.write(line) },
  );
  return new PinoLogger(root);
}

/** Says nothing. */
export const SILENT_LOGGER: Logger = Object.freeze({
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => SILENT_LOGGER,
});

type PinoInstance = ReturnType<typeof pino<never, boolean>>;

class PinoLogger implements Logger {
  readonly #pino: PinoInstance;

  constructor(instance: PinoInstance) {
    this.#pino = instance;
  }

  debug(event: string, fields?: LogFields): void {
    this.#pino.debug(fields ?? {}, event);
  }

  info(event: string, fields?: LogFields): void {
    this.#pino.info(fields ?? {}, event);
  }

  warn(event: string, fields?: LogFields): void {
    this.#pino.warn(fields ?? {}, event);
  }

  error(event: string, fields?: LogFields): void {
    this.#pino.error(fields ?? {}, event);
  }

  child(component: string): Logger {
    return new PinoLogger(this.#pino.child({ component }));
  }
}

/** The one place where zxids and session ids become text: readers would round them as numbers. */
function readable(fields: Record<string, unknown>): Record<string, unknown> {
  const shown: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(fields)) shown[name] = readableValue(name, value);
  return shown;
}

function readableValue(name: string, value: unknown): unknown {
  if (typeof value === 'bigint') return sessionIdHex(value as Parameters<typeof sessionIdHex>[0]);
  if (typeof value === 'number' && /zxid$/i.test(name)) return zxidHex(value as Zxid);
  if (value instanceof Error) return value.message;
  return value;
}

const LEVEL_WIDTH = 5;

/** `time LEVEL [server component] event name=value ...` */
function jsonToText(json: string): string {
  const entry: Record<string, unknown> = JSON.parse(json);
  const { level, time, server, component, event, ...fields } = entry;
  const place = [server === undefined ? undefined : `server ${server}`, component]
    .filter((part) => part !== undefined)
    .join(' ');
  const words = [time, String(level).toUpperCase().padEnd(LEVEL_WIDTH)];
  if (place !== '') words.push(`[${place}]`);
  words.push(event);
  for (const [name, value] of Object.entries(fields)) words.push(`${name}=${fieldText(value)}`);
  return `${words.join(' ')}\n`;
}

/** Plain when nobody could misread it, else as JSON, so that a line stays one line. */
function fieldText(value: unknown): string {
  if (typeof value === 'string' && /^[^\s"=]+$/.test(value)) return value;
  return JSON.stringify(value);
}
