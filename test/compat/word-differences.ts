/**
 * What the answers to the four-letter words may differ in. Times, addresses, ids, sizes of files and
 * latencies are levelled in both answers; beyond that only what a rule of the table takes out.
 */

export interface WordDifference {
  readonly id: string;
  readonly words: readonly string[];
  /** What the original does, and what is different here. */
  readonly what: string;
  readonly reason: string;
  /** Takes the difference out of either server's answer; absent where the comparison does not meet it. */
  readonly level?: (answer: string) => string;
}

/** Names of 3.4 and of 3.9 that checks ask for, and what only this server has. */
const OWN_METRICS: readonly string[] = [
  ...['followers', 'fsync_threshold_exceed_count', 'snapshot_error_count'],
  ...['last_zxid', 'tree_digest', 'wall_time_ms', 'checkpoint_count', 'log_groups', 'log_entries'],
  ...['large_replies_rejected', 'watches_rejected', 'slow_clients_dropped'],
  ...['greedy_clients_dropped', 'sessionless_connections_dropped'],
  ...['client_held_bytes', 'client_request_bytes', 'data_whole', 'disk_free_bytes'],
  ...['scrub_bytes', 'scrub_damage_count', 'scrub_passes'],
];

export const WORD_DIFFERENCES: readonly WordDifference[] = [
  {
    id: 'whitelist',
    words: ['all'],
    what: 'Without `4lw.commands.whitelist` only srvr is answered; here every word.',
    reason: 'Probes and exporters work as they are; the key, when set, means what it means there.',
  },
  {
    id: 'version',
    words: ['srvr', 'stat', 'mntr', 'envi'],
    what: 'The version is that of the original; here `3.9.3-vivarium-<version>`.',
    reason: 'Clients and tools decide by the part in front of the dash what a server can do.',
    level: (answer) =>
      answer.replace(/\d+\.\d+\.\d+-[^,\n]*, built on \d{4}-\d\d-\d\d \d\d:\d\d \w+/g, 'VERSION'),
  },
  {
    id: 'directories',
    words: ['conf'],
    what: '`dataDir` and `dataLogDir` end in `version-2`; here they are as configured.',
    reason: 'There is no such directory.',
    level: (answer) => answer.replace(/^(data(?:Log)?Dir=.*)\/version-2$/gm, '$1'),
  },
  {
    id: 'environment',
    words: ['envi'],
    what: 'Values describe a Java machine; here the same keys say what is true of the process, or `<NA>`.',
    reason: 'Scripts look for the keys.',
    level: (answer) => answer.replace(/^([\w.]+=).*$/gm, '$1VALUE'),
  },
  {
    id: 'empty-buckets',
    words: ['dump'],
    what: 'Lists moments at which nothing expires any more; here only those at which something does.',
    reason: 'They are left over from how deadlines are kept there.',
    level: (answer) =>
      answer.replace(/^0 expire at .*:\n/gm, '').replace(/ Sets \(\d+\)\//g, ' Sets (N)/'),
  },
  {
    id: 'epoch',
    words: ['srvr', 'stat', 'cons', 'hash', 'mntr'],
    what: 'A server alone counts zxids from 0; here it has epochs as in an ensemble.',
    reason: 'One server is an ensemble of one, through the same code.',
    level: (answer) =>
      answer
        .replace(/0x[1-9a-f]([0-9a-f]{8})\b/g, (_match, counter: string) => shortHex(counter))
        .replace(/^[1-9a-f]([0-9a-f]{8})(?=: )/gm, (_match, counter: string) =>
          shortHex(counter).slice(2),
        ),
  },
  {
    id: 'proposal-sizes',
    words: ['srvr', 'stat', 'mntr'],
    what: 'Sizes of proposals are those of jute records; here of our own encoding.',
    reason: 'The servers of an ensemble are of one kind.',
    level: (answer) =>
      answer
        .replace(/^(Proposal sizes last\/min\/max: ).*$/gm, '$1N/N/N')
        .replace(/^(zk_(?:last|min|max)_proposal_size\t).*$/gm, '$1N'),
  },
  {
    id: 'least-latency',
    words: ['cons'],
    what: '`minlat` of a connection is always 0; here it is the least latency.',
    reason: 'A defect there. (The comparison levels all latencies.)',
  },
  {
    id: 'mask-in-pieces',
    words: ['stmk'],
    what: 'Without its mask in the same packet stmk closes the connection; here the mask is waited for.',
    reason: 'Where packets begin and end is not the client’s to say.',
  },
  {
    id: 'telnet-close',
    words: ['FF F4 FF FD'],
    what: 'Refused by name when there is a whitelist; here the connection closes without a word.',
    reason: 'It is what a terminal sends to end a connection, and nobody reads an answer.',
  },
  {
    id: 'quota-without-enforcement',
    words: ['(the log)'],
    what: 'Changes beyond a quota are told of only with `enforceQuota=true`; here always, in the same words.',
    reason: 'A quota that is not enforced is set to be told of.',
  },
  absent(
    'no-threads',
    /(?:prep_process|sync_process|commit_proc|commitproc|commit_process|_final_proc_|session_queue|reads_after_write|time_waiting_empty_pool|write_batch_time|concurrent_request|_committed_time_ms|request_commit_queued|outstanding_changes|learner_handler_qp|learner_request_processor|request_throttle_queue_time|close_session_prep_time|not_forwarded_to_commit|skip_learner_request|socket_closing_time|netty_queued|proposal_ack_creation|commit_propagation|proposal_process_time|om_\w+_process_time|\d_ack_latency$)/,
    'Measures queues and threads between the stages of a request.',
    'There are neither.',
  ),
  absent(
    'no-caches',
    /(?:response_packet_|dead_watcher)/,
    'Counts what two caches and a cleaning thread do.',
    'Replies are made from the tree, and watches are removed at once.',
  ),
  absent(
    'no-tls-sasl-admin',
    /(?:tls_handshake_exceeded|ensemble_auth_|insecure_admin|unsuccessful_handshake|connection_token_deficit|connection_revalidate_count|revalidate_count)/,
    'Counts handshakes of TLS and SASL, tokens and the HTTP port.',
    'What is not there is not counted.',
  ),
  absent(
    'not-measured',
    /(?:_per_namespace|node_\w+_watch_count|startup_|dbinittime|inflight_|learner_(?:proposal|commit)_received|stale_re(?:quests_dropped|plies)|quit_leading|observer_master_id|synced_observers|_in_commit_processor)/,
    'Breaks figures down by namespace, kind of watch or part of the start.',
    'No dashboard we know of reads them.',
  ),
  {
    id: 'recursive-watch-count',
    words: ['mntr'],
    what: '`zk_watch_count` counts a recursive watch in both tables; here in one.',
    reason: 'As 3.9.0 and later do, where such a watch is in one table.',
    level: (answer) => answer.replace(/^(zk_watch_count\t).*$/gm, '$1N'),
  },
  {
    id: 'more-metrics',
    words: ['mntr'],
    what: `There are no such metrics; here ${OWN_METRICS.map((name) => `\`zk_${name}\``).join(', ')}.`,
    reason: 'Names of 3.4 and of 3.9 that checks ask for, and what only this server has.',
    level: (answer) =>
      answer.replace(/^zk_(\S+)\t.*\n/gm, (line, name: string) =>
        OWN_METRICS.includes(name) ? '' : line,
      ),
  },
];

/** Metrics that the original has and we do not. */
function absent(id: string, names: RegExp, what: string, reason: string): WordDifference {
  const level = (answer: string): string =>
    answer.replace(/^zk_(\S+)\t.*\n/gm, (line, name: string) => (names.test(name) ? '' : line));
  return { id, words: ['mntr'], what: `${what} Here there are no such metrics.`, reason, level };
}

function shortHex(digits: string): string {
  return `0x${digits.replace(/^0+(?=.)/, '')}`;
}

/** Metrics whose value must be equal on both servers; of the others only that they are there. */
const EXACT_METRICS =
  /^(?:version|server_state|peer_state|ephemerals_count|num_alive_connections|outstanding_requests|znode_count|global_sessions|local_sessions|packets_(?:sent|received)|watch_count|approximate_data_size|quorum_size|learners|synced_\w+|pending_syncs|auth_failed_count|connection_rejected|\w+_client_response_size|connection_drop_probability|throttled_ops|large_requests_rejected|watch_bytes|snapshot_error_count|unrecoverable_error_count|digest_mismatches_count|stale_\w+|\w+_(?:limit|usage)_per_namespace)$/;

/** An answer without what is a matter of time, place and chance, and without the table's differences. */
export function levelled(
  word: string,
  answer: string,
  sessions: readonly string[],
  without?: string,
): string {
  let text = answer;
  for (const [at, session] of sessions.entries()) text = text.replaceAll(session, `SESSION${at}`);
  for (const { id, words, level } of WORD_DIFFERENCES) {
    if (level !== undefined && words.includes(word) && id !== without) text = level(text);
  }
  text = text
    .replace(/[A-Z][a-z]{2} [A-Z][a-z]{2} \d\d \d\d:\d\d:\d\d \w+ \d{4}/g, 'DATE')
    .replace(/\/127\.0\.0\.1:\d+/g, 'CLIENT')
    .replace(/127\.0\.0\.1:\d+/g, 'ADDRESS')
    .replace(/(Latency min\/avg\/max: )\d+\/\d+\.\d+\/\d+/, '$1N/N.N/N')
    .replace(/((?:est|lresp|llat|minlat|avglat|maxlat)=)-?\d+/g, '$1N')
    .replace(/((?:Dir|Log)Size=|(?:datadir|logdir)_size: )\d+/g, '$1N')
    .replace(/^((?:client|election|quorum)Port=)\d+/gm, '$1N')
    .replace(/^(data(?:Log)?Dir=)\/[^\n]*?(\/version-2)?$/gm, '$1PATH$2')
    .replace(/ADDRESS:\d+/g, 'ADDRESS')
    .replace(/^server\.\d+=/gm, 'server.N=')
    // Who leads is a matter of chance; a server alone is number 0 on both.
    .replace(/^serverId=[1-9]\d*$/gm, 'serverId=N');
  if (word === 'hash') return text.replace(/: -?\d+$/gm, ': N');
  if (word === 'mntr') return levelledMetrics(text);
  if (word === 'wchc' || word === 'wchp') return sortedBlocks(text);
  if (word === 'dump') return text.split(SECTION).map(levelledSection).join('');
  return word === 'stat' || word === 'cons' ? sortedRuns(text) : text;
}

/** Version, state and the peer's state stay in front; the rest has no order. */
function levelledMetrics(text: string): string {
  const lines = text.split('\n').map((line) => {
    const [name = '', value = ''] = line.split('\t');
    const isExact = EXACT_METRICS.test(name.replace(/^zk_/, ''));
    return isExact || line === '' ? line : `${name}\t${/^-?\d+$/.test(value) ? 'N' : 'N.N'}`;
  });
  const first = lines.filter((line) => /^zk_(?:version|server_state|peer_state)\t/.test(line));
  const isInFront = first.every((line, at) => lines[at] === line);
  return `${isInFront ? first.join('\n') : 'OUT OF ORDER'}\n${lines.slice(first.length).sort().join('\n')}`;
}

/** Where a part of `dump` begins. */
const SECTION = /^(?=SessionTracker dump:|ephemeral nodes dump:|Connections dump:)/m;

/** Which deadlines fall into one tick is chance: the moments are levelled, and who has one is sorted. */
function levelledSection(section: string): string {
  const [title = '', count = '', ...rest] = section.trimEnd().split('\n');
  const body = title.startsWith('ephemeral')
    ? sortedBlocks(`${rest.join('\n')}\n`)
    : [...new Set(rest.map((line) => line.replace(/^\d+ expire/, 'N expire')))].sort().join('\n');
  return `${title}\n${count}\n${body}${section.endsWith('\n') ? '\n' : ''}`;
}

/** Lists have no order: lines that begin alike and follow each other are sorted. */
function sortedRuns(text: string): string {
  const runs: string[][] = [];
  for (const line of text.split('\n')) {
    const last = runs.at(-1);
    const isList = /^[\t ]|^SESSION/.test(line);
    if (isList && last?.[0]?.[0] === line[0]) last?.push(line);
    else runs.push([line]);
  }
  return runs.flatMap((run) => run.sort()).join('\n');
}

/** A line and the indented ones behind it stay together. */
function sortedBlocks(text: string): string {
  const blocks: string[][] = [];
  for (const line of text.split('\n')) {
    if (line.startsWith('\t')) blocks.at(-1)?.push(line);
    else blocks.push([line]);
  }
  const texts = blocks.map(([head = '', ...rest]) => [head, ...rest.sort()].join('\n'));
  const end = texts.splice(texts.indexOf(''));
  return [...texts.sort(), ...end].join('\n');
}
