import { strict as assert } from 'node:assert';
import { describe, it } from 'node:test';
import { CLOSED, LinkTable, NO_LINK } from './link-table.ts';

describe('LinkTable', () => {
  it('delivers in the order of sending', () => {
    const links = new LinkTable();
    const link = links.sentByDialler(links.sentByDialler(links.fresh, 7), 8);
    assert.deepEqual(links.get(link).toAcceptor, [7, 8]);
    assert.deepEqual(links.get(links.taken(link, true)).toAcceptor, [8]);
  });

  it('brings what was sent before the other end closed, then the end', () => {
    const links = new LinkTable();
    const link = links.closed(links.sentByAcceptor(links.fresh, 7), true);
    assert.deepEqual(links.get(link).toDialler, [7, CLOSED]);
    const read = links.taken(link, false);
    assert.equal(links.taken(read, false), NO_LINK, 'both ends know');
  });

  it('loses what is under way when it breaks, but for what the dialler still got', () => {
    const links = new LinkTable();
    const sent = links.sentByAcceptor(links.sentByAcceptor(links.fresh, 7), 8);
    const broken = links.get(links.broken(links.sentByDialler(sent, 9), 1));
    assert.deepEqual(broken.toDialler, [7, CLOSED]);
    assert.deepEqual(broken.toAcceptor, [CLOSED]);
  });

  it('carries nothing behind the end, nor to one who has closed', () => {
    const links = new LinkTable();
    const broken = links.broken(links.fresh, 0);
    assert.equal(links.sentByDialler(broken, 7), broken);
    const closed = links.closed(links.fresh, true);
    assert.equal(links.sentByDialler(closed, 7), closed);
  });

  it('gives the same connection the same number', () => {
    const links = new LinkTable();
    const back = links.taken(links.sentByDialler(links.fresh, 7), true);
    assert.equal(back, links.fresh);
  });
});
