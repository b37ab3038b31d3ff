/** The npm client node-zookeeper-client, as promises. */

import type {
  ForeignAcl,
  ForeignClient,
  ForeignError,
  ForeignPackage,
  ForeignStat,
  ForeignTransaction,
} from './node-packages.ts';

export interface SeenEvent {
  readonly type: number;
  readonly path: string;
}

export interface NodeData {
  readonly data: string;
  readonly stat: ForeignStat;
}

/** One session; every watch it sets reports to `events`. */
export class NodeSession {
  readonly events: SeenEvent[] = [];
  readonly #client: ForeignClient;
  #onEvent: (() => void) | undefined;

  private constructor(client: ForeignClient) {
    this.#client = client;
  }

  /** A session by one version of the package; resolves when it is there. */
  static open({ createClient }: ForeignPackage, connectString: string): Promise<NodeSession> {
    const client = createClient(connectString, { sessionTimeout: 10_000, spinDelay: 50 });
    return new Promise((resolve) => {
      client.once('connected', () => resolve(new NodeSession(client)));
      client.connect();
    });
  }

  get idHex(): string {
    return this.#client.getSessionId().toString('hex');
  }

  /** Cuts the connection as a network would; resolves when the client has made another. */
  cutAndReconnect(): Promise<void> {
    return new Promise((resolve) => {
      this.#client.once('connected', resolve);
      this.#client.connectionManager.socket.destroy();
    });
  }

  addAuth(scheme: string, identity: string): void {
    this.#client.addAuthInfo(scheme, Buffer.from(identity));
  }

  /** The entries with their permissions as a bit mask, and the version of the list. */
  async acl(path: string): Promise<{ readonly entries: string[]; readonly version: number }> {
    return await new Promise((resolve, reject) => {
      this.#client.getACL(path, (error, acls, stat) => {
        if (error) reject(error);
        else resolve({ entries: acls.map(entryText), version: stat.aversion });
      });
    });
  }

  setAcl(path: string, acls: readonly ForeignAcl[], version = -1): Promise<ForeignStat> {
    return settle((done) => this.#client.setACL(path, acls, version, done));
  }

  /** Makes a node and those above it that are missing. */
  makePath(path: string): Promise<string> {
    return settle((done) => this.#client.mkdirp(path, done));
  }

  /** Resolves when the connection is gone. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#client.once('disconnected', resolve);
      this.#client.close();
    });
  }

  create(path: string, data = '', mode = 0): Promise<string> {
    return settle((done) => this.#client.create(path, Buffer.from(data), mode, done));
  }

  async remove(path: string, version = -1): Promise<void> {
    await settle<void>((done) => this.#client.remove(path, version, done));
  }

  setData(path: string, data: string, version = -1): Promise<ForeignStat> {
    return settle((done) => this.#client.setData(path, Buffer.from(data), version, done));
  }

  /** Undefined when there is no such node. Leaves a watch. */
  async exists(path: string): Promise<ForeignStat | undefined> {
    const found = await settle<ForeignStat | null>((done) =>
      this.#client.exists(path, this.#watch, done),
    );
    return found ?? undefined;
  }

  /** Leaves a watch. */
  getData(path: string): Promise<NodeData> {
    return new Promise((resolve, reject) => {
      this.#client.getData(path, this.#watch, (error, data, stat) => {
        if (error) reject(error);
        else resolve({ data: data?.toString() ?? '', stat });
      });
    });
  }

  /** Sorted. Leaves a watch. */
  async children(path: string): Promise<string[]> {
    const names = await settle<string[]>((done) =>
      this.#client.getChildren(path, this.#watch, done),
    );
    return names.sort();
  }

  /** All or nothing of what `fill` puts into it. */
  transact(fill: (transaction: ForeignTransaction) => void): Promise<unknown[]> {
    const transaction = this.#client.transaction();
    fill(transaction);
    return settle((done) => transaction.commit(done));
  }

  /** Resolves to the next event that no one has taken yet. */
  async nextEvent(): Promise<SeenEvent> {
    for (;;) {
      const event = this.events.shift();
      if (event !== undefined) return event;
      await new Promise<void>((resolve) => {
        this.#onEvent = resolve;
      });
    }
  }

  readonly #watch = (event: { getType(): number; getPath(): string }): void => {
    this.events.push({ type: event.getType(), path: event.getPath() });
    this.#onEvent?.();
  };
}

function entryText({ permission, id }: ForeignAcl): string {
  return `${id.scheme}:${id.id}:${permission}`;
}

type Done<T> = (error: ForeignError | null | undefined, result: T) => void;

function settle<T>(start: (done: Done<T>) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    start((error, result) => {
      if (error) reject(error);
      else resolve(result);
    });
  });
}
