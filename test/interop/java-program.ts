/** Our programs in Java that use the original's client or Curator: compiled by the tests that run them. */

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { runProgram } from './support.ts';

const JAVA = '/usr/bin/java';
const JAVAC = '/usr/bin/javac';
const SOURCES = path.resolve('test/interop/java');
/** Debian's jars name those they need in their manifests, but for two that the Netty connection needs. */
const LIBRARIES = [
  'zookeeper',
  'curator-recipes',
  'netty-resolver',
  'netty-codec',
  'slf4j-nop',
].map((name) => `/usr/share/java/${name}.jar`);

const MISSING = [JAVA, JAVAC, ...LIBRARIES].filter((file) => !existsSync(file));

/** Why the programs cannot be run on this machine; false when they can. */
export const JAVA_SKIP: string | false =
  MISSING.length === 0
    ? false
    : `${MISSING.join(', ')}: Debian's packages default-jdk-headless and libcurator-recipes-java are not installed`;

/** Compiled programs. */
export interface JavaPrograms {
  /** What runs the class of this name. */
  command(mainClass: string, args: readonly string[]): readonly string[];
  remove(): Promise<void>;
}

/** Compiles all programs into a directory of their own, which `remove` takes away. */
export async function compileJava(): Promise<JavaPrograms> {
  const directory = await mkdtemp(path.join(os.tmpdir(), 'vivarium-java-'));
  const names = await readdir(SOURCES);
  const sources = names.filter((name) => name.endsWith('.java'));
  const classpath = [directory, ...LIBRARIES].join(':');
  const { exitCode, stderr } = await runProgram([
    JAVAC,
    ...['-d', directory, '-cp', classpath, '-encoding', 'UTF-8'],
    ...sources.map((name) => path.join(SOURCES, name)),
  ]);
  assert.equal(exitCode, 0, stderr);
  return {
    // The programs are short: the first compiler of the two is enough, and starts faster.
    command: (mainClass, args) => [
      JAVA,
      ...['-Xmx256m', '-XX:TieredStopAtLevel=1', '-Dfile.encoding=UTF-8', '-cp', classpath],
      mainClass,
      ...args,
    ],
    remove: () => rm(directory, { recursive: true, force: true }),
  };
}
