import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';

interface Arrived {
  readonly stream: ServerHttp2Stream;
  readonly headers: IncomingHttpHeaders;
}

/** Hands the streams that a worker serves to the test, one by one. */
export function streamsOf() {
  const waiting: ((arrived: Arrived) => void)[] = [];
  const arrived: Arrived[] = [];
  return {
    serve: (stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void => {
      const next = waiting.shift();
      if (next === undefined) {
        arrived.push({ stream, headers });
      } else {
        next({ stream, headers });
      }
    },
    next: (): Promise<Arrived> => {
      const first = arrived.shift();
      return first === undefined ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve(first);
    },
  };
}
