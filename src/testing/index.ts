/** The test kit: whole servers under virtual time, with a network and disks that fail on request. */

export { createMemoryRuntime } from './memory-runtime.ts';
export { type CrashOptions, type SimRuntime, SimWorld, type SimWorldOptions } from './sim-world.ts';
