import { strict as assert } from 'node:assert';
import { describe, it } from 'node:test';
import { makeServerId } from '../../../src/base/ids.ts';
import {
  decodeSettings,
  differences,
  encodeSettings,
  type PeerSettings,
  ruleConflict,
} from '../../../src/peer/agreement.ts';

function settings(changes: Partial<PeerSettings> = {}): PeerSettings {
  return {
    rules: new Map([['extendedTypesEnabled', 'true']]),
    limits: new Map([['tickTime', '2000']]),
    wallMs: 1_000_000,
    ...changes,
  };
}

const ONE = { sid: makeServerId(1), settings: settings() };

function two(changes: Partial<PeerSettings>) {
  return { sid: makeServerId(2), settings: settings(changes) };
}

describe('what servers compare of their settings', () => {
  it('arrives as it was sent, and not at all when it is something else', () => {
    assert.deepEqual(decodeSettings(encodeSettings(settings())), settings());
    for (const wrong of [undefined, [], ['a', 0], [1, 9999], [1, 1, 'a'], [1, 0, 'a', 2]]) {
      assert.equal(decodeSettings(wrong), undefined);
    }
  });

  it('is no reason to refuse when it is equal, or unknown to one of them', () => {
    assert.equal(ruleConflict(ONE, two({}), 'b:3888'), undefined);
    assert.equal(ruleConflict(ONE, two({ rules: new Map([['other', '1']]) }), 'b:3888'), undefined);
    assert.deepEqual(differences(ONE, two({}), 'b:3888'), []);
  });

  it('names key, values and remedy', () => {
    const rules = new Map([['extendedTypesEnabled', 'false']]);
    assert.match(
      ruleConflict(ONE, two({ rules }), 'b:3888') ?? '',
      /server 2 at b:3888 has extendedTypesEnabled=false, server 1 has .*=true.*write the same/,
    );
    const [sentence] = differences(ONE, two({ limits: new Map([['tickTime', '3000']]) }), 'b:3888');
    assert.match(
      sentence ?? '',
      /server 2 at b:3888 has tickTime=3000, server 1 has tickTime=2000/,
    );
  });

  it('tells of a clock that is off by more than a minute', () => {
    assert.deepEqual(differences(ONE, two({ wallMs: 1_050_000 }), 'b:3888'), []);
    const [ahead] = differences(ONE, two({ wallMs: 1_000_000 + 86_400_000 }), 'b:3888');
    assert.match(ahead ?? '', /clock of server 2 at b:3888 is 86400 s ahead of that of server 1/);
    const [behind] = differences(ONE, two({ wallMs: 900_000 }), 'b:3888');
    assert.match(behind ?? '', /100 s behind/);
  });
});
