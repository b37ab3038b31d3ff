/** Which test shows that a client's operation works, client by client: the source of the table in docs/compatibility.md. */

/** Files of the tests, by client; a cell names something that stands in one of its client's files. */
export const CLIENT_FILES = {
  'Java client': [
    'test/interop/java/NodeChecks.java',
    'test/interop/java/BatchChecks.java',
    'test/interop/java/WatchChecks.java',
    'test/interop/java/AccessChecks.java',
    'test/interop/java/SessionChecks.java',
  ],
  zkCli: ['test/interop/zkcli.test.ts', 'test/interop/quota.test.ts'],
  Curator: [
    'test/interop/java/FrameworkChecks.java',
    'test/interop/java/LockRecipes.java',
    'test/interop/java/ElectionRecipes.java',
    'test/interop/java/CacheRecipes.java',
    'test/interop/java/ValueRecipes.java',
  ],
  kazoo: ['test/interop/kazoo_suite.py'],
  'node-zookeeper-client': ['test/interop/node-client.test.ts'],
} as const;
export type ClientName = keyof typeof CLIENT_FILES;

export const CLIENT_NAMES = Object.keys(CLIENT_FILES) as readonly ClientName[];

const READ_WRITE = 'creates, reads, updates and deletes';
const BASICS = 'create, read, update and delete';
const OF_ALL_KINDS = 'create with parents, containers and protection';

/** What each client's test of an operation is called: a command, a function, a title. */
export const CLIENT_TABLE: Readonly<Record<string, Partial<Record<ClientName, string>>>> = {
  create: {
    'Java client': 'create in every mode',
    Curator: BASICS,
    zkCli: 'create /zk_test my_data',
    kazoo: 'create_read_update_delete',
    'node-zookeeper-client': READ_WRITE,
  },
  'create, sequential': {
    'Java client': 'create in every mode',
    Curator: OF_ALL_KINDS,
    zkCli: 'create -s /zk_test/item- a',
    kazoo: 'sequence_numbers_grow',
    'node-zookeeper-client': 'numbers sequential nodes in their order',
  },
  'create, ephemeral': {
    'Java client': 'create in every mode',
    Curator: OF_ALL_KINDS,
    zkCli: 'create -e /zk_test/mine here',
    kazoo: 'ephemeral_nodes_end_with_their_session',
    'node-zookeeper-client': 'loses its ephemeral nodes with its session, and others see it',
  },
  create2: {
    'Java client': 'create returns the Stat',
    Curator: OF_ALL_KINDS,
    kazoo: 'create_returns_the_stat',
  },
  createContainer: {
    'Java client': 'containers and nodes with a TTL end by themselves',
    Curator: OF_ALL_KINDS,
    zkCli: 'create -c /box',
  },
  createTTL: {
    'Java client': 'containers and nodes with a TTL end by themselves',
    zkCli: 'create -t 3600000 /brief x',
    Curator: 'PersistentTtlNode',
  },
  delete: {
    'Java client': 'exists, delete and versions',
    Curator: BASICS,
    zkCli: 'delete /empty',
    kazoo: 'create_read_update_delete',
    'node-zookeeper-client': READ_WRITE,
  },
  exists: {
    'Java client': 'exists, delete and versions',
    Curator: BASICS,
    zkCli: 'stat /zk_test',
    kazoo: 'create_read_update_delete',
    'node-zookeeper-client': READ_WRITE,
  },
  getData: {
    'Java client': 'getData and setData',
    Curator: BASICS,
    zkCli: 'get -s /zk_test',
    kazoo: 'data_of_any_bytes_and_none',
    'node-zookeeper-client': READ_WRITE,
  },
  setData: {
    'Java client': 'getData and setData',
    Curator: BASICS,
    zkCli: 'set -s -v 1 /zk_test junk2',
    kazoo: 'create_read_update_delete',
    'node-zookeeper-client': READ_WRITE,
  },
  'getChildren, getChildren2': {
    'Java client': 'getChildren with and without Stat',
    Curator: BASICS,
    zkCli: 'ls -s /zk_test',
    kazoo: 'children_and_their_stat',
    'node-zookeeper-client': READ_WRITE,
  },
  getAllChildrenNumber: {
    'Java client': 'getAllChildrenNumber',
    zkCli: 'getAllChildrenNumber /tree',
  },
  getEphemerals: {
    'Java client': 'getEphemerals, all and below a path',
    zkCli: 'getEphemerals /tree',
  },
  getACL: {
    'Java client': 'getACL and setACL with versions',
    Curator: 'ACLs and authorization',
    zkCli: 'getAcl -s /zk_test',
  },
  setACL: {
    'Java client': 'getACL and setACL with versions',
    Curator: 'ACLs and authorization',
    zkCli: 'setAcl -s /own world:anyone:cdrwa',
  },
  auth: {
    'Java client': 'ACL of scheme digest, with addAuthInfo',
    Curator: 'ACLs and authorization',
    zkCli: 'addauth digest bob:secret',
    kazoo: 'acls_keep_strangers_out',
  },
  whoAmI: { 'Java client': 'whoAmI', zkCli: 'whoami' },
  sync: {
    'Java client': 'sync shows on every server what was written',
    Curator: 'operations in the background',
    zkCli: 'sync /',
    kazoo: 'every_server_shows_what_was_written',
  },
  multi: {
    'Java client': 'multi with every operation',
    Curator: 'transactions',
    kazoo: 'transactions_are_all_or_nothing',
    'node-zookeeper-client': 'changes several nodes at once, or none',
  },
  multiRead: { 'Java client': 'multiRead' },
  watches: {
    'Java client': 'one-shot watches of exists, getData and getChildren',
    Curator: 'watchers, set and removed',
    zkCli: 'get -w /zk_test',
    kazoo: 'watches_fire_once_for_each_kind',
    'node-zookeeper-client': 'is told once of each kind of change',
  },
  'addWatch, persistent': {
    'Java client': 'addWatch, persistent',
    zkCli: 'addWatch -m PERSISTENT /watched',
    Curator: 'watchers, set and removed',
  },
  'addWatch, recursive': {
    'Java client': 'addWatch, persistent and recursive',
    zkCli: 'addWatch /watched',
    Curator: 'CuratorCache',
  },
  'removeWatches, checkWatches': {
    'Java client': 'removeWatches of each type',
    zkCli: 'removewatches /watched',
    Curator: 'watchers of a WatcherRemoveCuratorFramework',
  },
  'setWatches, resumed session': {
    'Java client': 'watches of all kinds on another server after a cut',
    Curator: 'caches while their client is cut off',
    kazoo: 'a_lost_connection_keeps_its_session',
  },
  'requests in order': {
    'Java client': '10,000 pipelined operations in order',
    Curator: 'operations in the background',
    kazoo: 'many_requests_at_once_are_answered_in_order',
    'node-zookeeper-client': 'has many requests answered in their order',
  },
  'session resumed by its id': { 'Java client': 'a session resumed by another client' },
  'session expired': {
    'Java client': 'a session expires when nothing is heard of it',
  },
  'large data': { 'Java client': 'data of nearly 1 MB, and no more' },
  quotas: { 'Java client': 'quotas of count and bytes', zkCli: 'setquota -n 4 /q' },
  getConfig: {
    'Java client': 'getConfig, and reconfig refused',
    zkCli: 'config -s',
    Curator: 'the ensemble tracker',
  },
  'reconfig, which is switched off': {
    'Java client': 'getConfig, and reconfig refused',
    zkCli: 'reconfig -remove 3',
  },
  chroot: {
    'Java client': 'chroot of every operation',
    zkCli: 'connect SERVER/watched',
    Curator: 'namespaces',
  },
  'read-only flag': {
    'Java client': 'a client that takes a read-only server, too',
    zkCli: 'ends with an exit code that tells failure from success',
  },
  refusals: {
    'Java client': 'refusals have their own exceptions',
    Curator: BASICS,
    zkCli: 'create /missing/child x',
    kazoo: 'refusals_have_their_own_errors',
    'node-zookeeper-client': 'is refused with the code that says why',
  },
  'recipes: locks': {
    Curator: 'InterProcessMutex under contention',
    kazoo: 'lock_is_held_by_one_at_a_time',
  },
  'recipes: semaphores': { Curator: 'InterProcessSemaphoreV2 under contention' },
  'recipes: elections': {
    Curator: 'LeaderLatch, one after the other',
    kazoo: 'election_has_one_winner_after_the_other',
  },
  'recipes: barriers': { Curator: 'DistributedDoubleBarrier' },
  'recipes: caches': {
    Curator: 'CuratorCache',
    kazoo: 'data_watch_recipe_follows_changes',
  },
  'recipes: counters': {
    Curator: 'DistributedAtomicLong under contention',
    kazoo: 'counter_loses_no_addition',
  },
  'recipes: queues': { Curator: 'DistributedQueue with two consumers' },
  'recipes: groups': { Curator: 'GroupMember' },
};
