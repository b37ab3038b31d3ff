/** What programs may use: a server inside their own process. */

export { ConfigError } from './config-error.ts';
export { FatalError } from './fatal-error.ts';
export { type ConfigOptions, configFromOptions, loadConfig } from './load-config.ts';
export { createLogger, type Log, type Logger, SILENT_LOGGER } from './logger.ts';
export { createServer, type Server, type ServerOptions, type ServerView } from './server.ts';
