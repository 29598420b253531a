/**
 * Preloaded (--import) into a process whose live memory is measured: on SIGWINCH it collects garbage. Node does not while nothing happens, and
 * what the handshakes left behind would be counted as the cost of what is idle.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

process.on('SIGWINCH', () => collect());
