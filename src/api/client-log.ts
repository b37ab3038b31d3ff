/** Facts that go with a log event; a session id and a zxid in hex. */
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

/** Where this folder reports what an operator may want to read: a fixed event name and its facts. */
export interface ClientLog {
  debug(event: string, fields: LogFields): void;
  info(event: string, fields: LogFields): void;
  warn(event: string, fields: LogFields): void;
  error(event: string, fields: LogFields): void;
}
