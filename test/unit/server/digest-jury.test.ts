import { strict as assert } from 'node:assert';
import { describe, it } from 'node:test';
import { makeServerId, type Zxid } from '../../../src/base/ids.ts';
import { DigestJury } from '../../../src/server/digest-jury.ts';

const ONE = makeServerId(1);
const TWO = makeServerId(2);
const THREE = makeServerId(3);
const OBSERVER = makeServerId(4);
const AT = 128 as Zxid;

function jury(): DigestJury {
  return new DigestJury([1, 2, 3].map(makeServerId));
}

describe('DigestJury', () => {
  it('judges nobody while all agree', () => {
    const three = jury();
    for (const sid of [ONE, TWO, THREE]) assert.equal(three.report(sid, AT, 'a'), undefined);
  });

  it('names the one that differs from a majority, once, in whatever order they report', () => {
    for (const order of [
      [ONE, TWO, THREE],
      [THREE, ONE, TWO],
      [ONE, THREE, TWO],
    ]) {
      const three = jury();
      const verdicts = order.map((sid) => three.report(sid, AT, sid === THREE ? 'b' : 'a'));
      const named = verdicts.filter((verdict) => verdict !== undefined);
      assert.deepEqual(named, [{ zxid: AT, digest: 'a', wrong: [THREE] }]);
      assert.equal(three.report(THREE, AT, 'b'), undefined);
    }
  });

  it('judges nobody without a majority', () => {
    const three = jury();
    assert.equal(three.report(ONE, AT, 'a'), undefined);
    assert.equal(three.report(TWO, AT, 'b'), undefined);
  });

  it('names an observer that differs, and does not count it', () => {
    const three = jury();
    three.report(ONE, AT, 'a');
    assert.equal(three.report(OBSERVER, AT, 'a'), undefined);
    assert.equal(three.report(OBSERVER, AT, 'b'), undefined);
    const verdict = three.report(TWO, AT, 'a');
    assert.deepEqual(verdict?.wrong, [OBSERVER]);
  });
});
