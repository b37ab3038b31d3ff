/** What programs may use: a server inside their own process. */

export { FatalError } from './fatal-error.ts';
export { createServer, type Server, type ServerOptions, type ServerView } from './server.ts';
