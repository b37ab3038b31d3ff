import { strict as assert } from 'node:assert';
import { describe, it } from 'node:test';
import { StateCodec } from './state-codec.ts';

class Leaf {
  name = 'leaf';
  lastHeardMs = 0;
}

class Tree {
  readonly left = new Leaf();
  readonly right = this.left;
  seen = new Map<number, string>();
  bytes = new Uint8Array(0);
  nothing: number | undefined = undefined;
}

function copy(codec: StateCodec, tree: Tree): Tree {
  const decoded = codec.decode(codec.encode(tree, 0));
  assert(decoded instanceof Tree);
  return decoded;
}

describe('StateCodec', () => {
  it('brings classes, maps, bytes and shared objects back', () => {
    const tree = new Tree();
    tree.seen.set(2, 'two');
    tree.bytes = Uint8Array.of(1, 2, 3);
    const decoded = copy(new StateCodec({}), tree);
    assert.deepEqual(decoded, tree);
    assert.equal(decoded.left, decoded.right);
    assert.notEqual(decoded.left, tree.left);
  });

  it('tells nothing of the order in which a map or a plain object was filled', () => {
    const codec = new StateCodec({});
    const one = new Map([
      [1, 'a'],
      [2, 'b'],
    ]);
    const other = new Map([...one].reverse());
    assert.equal(codec.encode(one, 0), codec.encode(other, 0));
    assert.equal(codec.encode({ a: 1, b: 2 }, 0), codec.encode({ b: 2, a: 1 }, 0));
  });

  it('tells instants from the present, and not how long ago the past is', () => {
    const codec = new StateCodec({});
    const at = (lastHeardMs: number): Tree => {
      const tree = new Tree();
      tree.left.lastHeardMs = lastHeardMs;
      return tree;
    };
    assert.equal(codec.encode(at(130), 100), codec.encode(at(30), 0));
    assert.equal(codec.encode(at(10), 100), codec.encode(at(90), 100));
    assert.notEqual(codec.encode(at(130), 100), codec.encode(at(90), 100));
  });

  it('tells constants by their names', () => {
    const constant = { large: 'thing' };
    const codec = new StateCodec({ constant });
    assert.equal(codec.encode([constant], 0), '["A",["K","constant"]]');
    assert.deepEqual(codec.decode('["A",["K","constant"]]'), [constant]);
  });

  it('tells absent from undefined', () => {
    const codec = new StateCodec({});
    assert.notEqual(codec.encode({}, 0), codec.encode({ a: undefined }, 0));
    assert.deepEqual(codec.decode(codec.encode({ a: undefined }, 0)), { a: undefined });
  });
});
