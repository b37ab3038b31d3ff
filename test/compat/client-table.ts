/** Which test shows that a client's operation works, client by client: the source of the table in docs/compatibility.md. */

/** Files of the tests, by client; a cell names something that stands in its client's file. */
export const CLIENT_FILES = {
  zkCli: 'test/interop/zkcli.test.ts',
  kazoo: 'test/interop/kazoo_suite.py',
  'node-zookeeper-client': 'test/interop/node-client.test.ts',
} as const;
export type ClientName = keyof typeof CLIENT_FILES;

export const CLIENT_NAMES = Object.keys(CLIENT_FILES) as readonly ClientName[];

const READ_WRITE = 'creates, reads, updates and deletes';

/** What each client's test of an operation is called: a command, a function, a title. */
export const CLIENT_TABLE: Readonly<Record<string, Partial<Record<ClientName, string>>>> = {
  create: {
    zkCli: 'create /zk_test my_data',
    kazoo: 'create_read_update_delete',
    'node-zookeeper-client': READ_WRITE,
  },
  'create, sequential': {
    zkCli: 'create -s /zk_test/item- a',
    kazoo: 'sequence_numbers_grow',
    'node-zookeeper-client': 'numbers sequential nodes in their order',
  },
  'create, ephemeral': {
    zkCli: 'create -e /zk_test/mine here',
    kazoo: 'ephemeral_nodes_end_with_their_session',
    'node-zookeeper-client': 'loses its ephemeral nodes with its session, and others see it',
  },
  create2: { kazoo: 'create_returns_the_stat' },
  createContainer: { zkCli: 'create -c /box' },
  delete: {
    zkCli: 'delete /empty',
    kazoo: 'create_read_update_delete',
    'node-zookeeper-client': READ_WRITE,
  },
  exists: {
    zkCli: 'stat /zk_test',
    kazoo: 'create_read_update_delete',
    'node-zookeeper-client': READ_WRITE,
  },
  getData: {
    zkCli: 'get -s /zk_test',
    kazoo: 'data_of_any_bytes_and_none',
    'node-zookeeper-client': READ_WRITE,
  },
  setData: {
    zkCli: 'set -s -v 1 /zk_test junk2',
    kazoo: 'create_read_update_delete',
    'node-zookeeper-client': READ_WRITE,
  },
  'getChildren, getChildren2': {
    zkCli: 'ls -s /zk_test',
    kazoo: 'children_and_their_stat',
    'node-zookeeper-client': READ_WRITE,
  },
  getACL: { zkCli: 'getAcl -s /zk_test' },
  setACL: { zkCli: 'setAcl -s /own world:anyone:cdrwa' },
  auth: { zkCli: 'addauth digest bob:secret', kazoo: 'acls_keep_strangers_out' },
  sync: { zkCli: 'sync /', kazoo: 'every_server_shows_what_was_written' },
  multi: {
    kazoo: 'transactions_are_all_or_nothing',
    'node-zookeeper-client': 'changes several nodes at once, or none',
  },
  watches: {
    zkCli: 'get -w /zk_test',
    kazoo: 'watches_fire_once_for_each_kind',
    'node-zookeeper-client': 'is told once of each kind of change',
  },
  'setWatches, resumed session': { kazoo: 'a_lost_connection_keeps_its_session' },
  'requests in order': {
    kazoo: 'many_requests_at_once_are_answered_in_order',
    'node-zookeeper-client': 'has many requests answered in their order',
  },
  refusals: {
    zkCli: 'create /missing/child x',
    kazoo: 'refusals_have_their_own_errors',
    'node-zookeeper-client': 'is refused with the code that says why',
  },
  recipes: { kazoo: 'lock_is_held_by_one_at_a_time' },
};
