/** Every operation of the original's Java client on our servers; on the original first, to check the suite. */

import { describeJavaSuite } from './java-suite.ts';
import { configuredKinds } from './support.ts';

/** Both sweep containers so often that a check can wait for it. */
const KINDS = configuredKinds(
  [
    'zookeeper.extendedTypesEnabled=true',
    'zookeeper.enforceQuota=true',
    'znode.container.checkIntervalMs=500',
  ],
  {
    extendedTypesEnabled: 'true',
    enforceQuota: 'true',
    'znode.container.checkIntervalMs': '500',
  },
);
const CHECK_COUNT_MIN = 60;

describeJavaSuite('the Java client', 'JavaClientSuite', KINDS, CHECK_COUNT_MIN);
