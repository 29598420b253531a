import { setTimeout as delay } from 'node:timers/promises';

/** Fails with what was awaited when the work takes longer; the time is a limit, never a pause. */
export async function within<T>(what: string, limitMs: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`not within ${limitMs} ms: ${what}`)), limitMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Asks until the answer is accepted. Only for conditions that nothing announces (a metric, a process that is gone);
 * everything that can be awaited is awaited.
 */
export async function eventually<T>(what: string, limitMs: number, ask: () => Promise<T> | T, accept: (answer: T) => boolean): Promise<T> {
  const end = performance.now() + limitMs;
  for (;;) {
    const answer = await ask();
    if (accept(answer)) {
      return answer;
    }
    if (performance.now() > end) {
      throw new Error(`not within ${limitMs} ms: ${what}; the last answer was ${JSON.stringify(answer)}`);
    }
    await delay(ASK_AGAIN_MS);
  }
}

/** Between two questions about the same condition: short beside every limit, long beside the cost of a question. */
const ASK_AGAIN_MS = 25;
