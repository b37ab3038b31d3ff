import { strict as assert } from 'node:assert';
import { describe, it } from 'node:test';
import { RefusalLog } from '../../../src/peer/refusal-log.ts';

function recorder(): { log: RefusalLog; said: string[] } {
  const said: string[] = [];
  return { log: new RefusalLog((sentence) => said.push(sentence)), said };
}

describe('RefusalLog', () => {
  it('says a sentence once within ten seconds, whatever port it names', () => {
    const { log, said } = recorder();
    log.refused('server 2 at 10.0.0.2:40001 is a stranger', 0);
    log.refused('server 2 at 10.0.0.2:40002 is a stranger', 9999);
    assert.equal(said.length, 1);
    log.refused('server 2 at 10.0.0.2:40003 is a stranger', 10_000);
    assert.equal(said.length, 2);
  });

  it('stops at a hundred different sentences, says so once, and goes on when they are old', () => {
    const { log, said } = recorder();
    for (let i = 0; i < 100_000; i++) log.refused(`cluster ${i} is not ours`, i / 100);
    assert.equal(said.length, 101);
    assert.match(said.at(-1) ?? '', /^100 different refusals within 10 s/);
    log.refused('the one that matters', 20_000);
    assert.equal(said.at(-1), 'the one that matters');
  });
});
