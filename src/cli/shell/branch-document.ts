/** A branch as a document, in JSON or YAML, and back. */

import { parse, stringify } from 'yaml';
import { OPEN_ACL } from '../../client/index.ts';
import { aclEntryText, isMasked, isOpenAcl, parseAcl } from './acl-text.ts';
import { type Branch, inOrder, pathBelow, pathUnder } from './branch.ts';
import type { NodePlan } from './branch-write.ts';
import { CommandError } from './command-error.ts';
import { dataJson, isEphemeral, type NodeKind } from './format.ts';
import { pathProblem } from './path-text.ts';

const FORMAT = 'vivarium-branch';
const VERSION = 1;

export type DocumentFormat = 'json' | 'yaml';

export interface BranchDocument {
  readonly format: typeof FORMAT;
  readonly version: typeof VERSION;
  /** Where the branch was; `import` may put it elsewhere. */
  readonly path: string;
  /** Each behind its parent. */
  readonly nodes: readonly DocumentNode[];
}

/** What is as usual is left out: no data, everybody may do anything, an ordinary node. */
export interface DocumentNode {
  /** Below the branch's own path; `/` for the root of the branch. */
  readonly path: string;
  readonly data?: string | null;
  readonly dataBase64?: string;
  /** `scheme:id:perms`. */
  readonly acl?: readonly string[];
  /** Exports say `ephemeral` alone; `container` and `ttlMs` are for whoever writes a document. */
  readonly kind?: 'ephemeral' | 'container';
  readonly ttlMs?: number;
}

export function documentOf(branch: Branch): BranchDocument {
  const nodes = Array.from(inOrder(branch), (node): DocumentNode => {
    const { data = null, acl = OPEN_ACL } = node;
    return {
      path: pathBelow(branch.root, node.path),
      ...(data === null ? {} : dataJson(data)),
      ...(isOpenAcl(acl) ? {} : { acl: acl.map(aclEntryText) }),
      ...(isEphemeral(node.stat) ? { kind: 'ephemeral' } : {}),
    };
  });
  return { format: FORMAT, version: VERSION, path: branch.root, nodes };
}

export function documentText(document: BranchDocument, format: DocumentFormat): string {
  if (format === 'json') return `${JSON.stringify(document, null, 2)}\n`;
  return stringify(document, { lineWidth: 0 });
}

/** Reads JSON and YAML, of which JSON is a part. Throws a `CommandError` that names what it cannot use. */
export function parseDocument(text: string): BranchDocument {
  const value = parsed(text);
  if (!isRecord(value) || value['format'] !== FORMAT) {
    throw new CommandError(`this is no exported branch: it does not say "format: ${FORMAT}"`);
  }
  if (value['version'] !== VERSION) {
    throw new CommandError(`version ${String(value['version'])} is not known, only ${VERSION}`);
  }
  const { path, nodes } = value;
  if (typeof path !== 'string' || pathProblem(path) !== undefined || !Array.isArray(nodes)) {
    throw new CommandError('an exported branch has a path and a list of nodes');
  }
  return { format: FORMAT, version: VERSION, path, nodes: nodes.map(documentNode) };
}

function parsed(text: string): unknown {
  try {
    // Plain JSON is read many times faster by its own reader.
    return text.trimStart().startsWith('{') ? JSON.parse(text) : parse(text, { maxAliasCount: 0 });
  } catch (error) {
    throw new CommandError(`cannot be read: ${error instanceof Error ? error.message : error}`);
  }
}

function documentNode(value: unknown, index: number): DocumentNode {
  const refuse = (what: string): CommandError => new CommandError(`node ${index + 1}: ${what}`);
  if (!isRecord(value)) throw refuse('is no list of fields');
  const { path, data, dataBase64, acl, kind, ttlMs } = value;
  if (typeof path !== 'string') throw refuse('has no path');
  const problem = pathProblem(path);
  if (problem !== undefined) throw refuse(problem);
  if (data !== undefined && data !== null && typeof data !== 'string') {
    throw refuse(`data of ${path} are no text: put quotes around them`);
  }
  if (dataBase64 !== undefined && typeof dataBase64 !== 'string') {
    throw refuse(`dataBase64 of ${path} is no text`);
  }
  if (acl !== undefined && !isTexts(acl)) throw refuse(`acl of ${path} is no list of texts`);
  if (kind !== undefined && kind !== 'ephemeral' && kind !== 'container') {
    throw refuse(`kind of ${path} is neither ephemeral nor container`);
  }
  if (ttlMs !== undefined && (!Number.isSafeInteger(ttlMs) || Number(ttlMs) <= 0)) {
    throw refuse(`ttlMs of ${path} is no positive whole number`);
  }
  return {
    path,
    ...(data === undefined ? {} : { data }),
    ...(dataBase64 === undefined ? {} : { dataBase64 }),
    ...(acl === undefined ? {} : { acl }),
    ...(kind === undefined ? {} : { kind }),
    ...(ttlMs === undefined ? {} : { ttlMs: Number(ttlMs) }),
  };
}

/** The nodes of a document as they are to be under a path. */
export function plansOfDocument(
  { nodes }: BranchDocument,
  root: string,
  withAcl: boolean,
): NodePlan[] {
  return nodes.map((node): NodePlan => {
    const { acl, complaints } = parseAcl(node.acl?.join(',') ?? 'world:anyone:cdrwa');
    if (complaints.length > 0)
      throw new CommandError(`acl of ${node.path}: ${complaints.join(', ')}`);
    if (withAcl && acl.some(isMasked)) {
      throw new CommandError(
        `acl of ${node.path} was hidden from the exporter: leave ACLs out with -A`,
      );
    }
    const { data = null, dataBase64 } = node;
    return {
      path: pathUnder(root, node.path),
      data: dataBase64 === undefined ? bytesOf(data) : Buffer.from(dataBase64, 'base64'),
      acl: withAcl ? acl : OPEN_ACL,
      kind: kindOf(node),
    };
  });
}

function kindOf({ kind, ttlMs }: DocumentNode): NodeKind {
  if (ttlMs !== undefined) return { type: 'ttl', ttlMs };
  return { type: kind ?? 'persistent' };
}

function bytesOf(text: string | null): Uint8Array | null {
  return text === null ? null : Buffer.from(text);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((each) => typeof each === 'string');
}
