/** Release of this package; a test keeps it equal to package.json. */
export const VERSION = '0.1.0';
/** Day of the release, as the version line shows it. */
export const BUILT_ON = '2026-11-21 00:00 UTC';

/**
 * What `srvr` and others print. The number in front is the release of the original whose clients
 * may expect: tools compare it, and cut at the first `-` and `,`.
 */
export const VERSION_LINE = `3.9.3-vivarium-${VERSION}, built on ${BUILT_ON}`;
