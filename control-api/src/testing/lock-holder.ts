// A process of its own for the tests of the owner lock: takes the lock of the directory it is given, says so, and holds it until it is killed.
import { takeOwnerLock } from '../database/owner-lock.ts';

takeOwnerLock(String(process.argv[2]), { pid: process.pid, startedAt: '2026-01-02T03:04:05.678Z' });
process.on('message', () => undefined);
process.send?.('taken');
