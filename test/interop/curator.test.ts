/** Curator's framework and recipes on our servers; on the original first, to check the suite. */

import { describeJavaSuite } from './java-suite.ts';
import { configuredKinds } from './support.ts';

/** Nodes with a time to live are swept so often that a check can wait for it. */
const KINDS = configuredKinds(
  ['zookeeper.extendedTypesEnabled=true', 'znode.container.checkIntervalMs=500'],
  { extendedTypesEnabled: 'true', 'znode.container.checkIntervalMs': '500' },
);
const CHECK_COUNT_MIN = 45;

describeJavaSuite('Curator', 'CuratorSuite', KINDS, CHECK_COUNT_MIN);
