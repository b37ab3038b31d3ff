/** Asks a server one of the four-letter words. */

import { connect } from 'node:net';
import type { Address } from '../runtime/runtime.ts';

const TIMEOUT_MS = 2000;

/** What the server answers until it closes the connection; what came so far if it does not. */
export function askWord(address: Address, word: string): Promise<string> {
  return new Promise((resolve) => {
    let answer = '';
    const socket = connect(address.port, address.host);
    const timer = setTimeout(() => socket.destroy(), TIMEOUT_MS);
    socket.setEncoding('latin1');
    socket.on('connect', () => socket.write(word));
    socket.on('data', (text) => {
      answer += text;
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      clearTimeout(timer);
      resolve(answer);
    });
  });
}
