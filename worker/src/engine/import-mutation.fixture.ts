import type { MadeMessage } from '../arrow/import.fixture.ts';

/** Numbers below a bound, the same for the same seed. */
export function seeded(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const WORDS = [0n, 1n, 2n, 3n, 4n, 5n, 7n, 8n, 16n, 24n, 64n, -1n, 2n ** 31n, 2n ** 31n - 1n, 2n ** 62n, -(2n ** 63n)] as const;

/** The message with one or a few of its lengths, offsets or bytes changed. */
export function mutated({ fields, batch, body }: MadeMessage, random: (below: number) => number): MadeMessage {
  const bytes = Buffer.from(body);
  const nodes = [...batch.nodes];
  const buffers = [...batch.buffers];
  const viewBuffers = [...batch.viewBuffers];
  let rows = batch.rows;
  const word = (): bigint => WORDS[random(WORDS.length)] ?? 0n;
  for (let left = 1 + random(3); left > 0; left--) {
    switch (random(8)) {
      case 0:
        nodes[random(nodes.length)] = word();
        break;
      case 1:
        buffers[random(buffers.length)] = word();
        break;
      case 2:
        rows = word();
        break;
      case 3:
        if (viewBuffers.length > 0) {
          viewBuffers[0] = word();
        }
        break;
      case 4:
        if (bytes.length >= 4) {
          bytes.writeInt32LE(Number(BigInt.asIntN(32, word())), random(bytes.length / 4) * 4);
        }
        break;
      default:
        if (bytes.length > 0) {
          bytes[random(bytes.length)] = random(256);
        }
    }
  }
  return { fields, batch: { rows, nodes, buffers, viewBuffers }, body: bytes };
}
