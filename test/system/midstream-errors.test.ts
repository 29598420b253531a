import t from 'tap';
import { CLIENT_NAMES, skipClient, startClient } from '../harness/client.ts';
import { startMesh } from '../harness/mesh.ts';
import { smallSource } from '../harness/source.ts';

t.setTimeout(180_000);

const mesh = await startMesh(t, { source: await smallSource(t) });

const LATE_ERROR = "SELECT CASE WHEN i=3000000 THEN error('boom') ELSE i END FROM range(4000000) t(i)";
const LATE_CAST = "SELECT CASE WHEN i=3000000 THEN 'x' ELSE '1' END::INTEGER FROM range(4000000) t(i)";

for (const name of CLIENT_NAMES) {
  t.test(`${name}: an error in mid-stream is an error, and the connection goes on`, { skip: skipClient(name) }, async (t) => {
    const client = await startClient(t, name);
    const { steps } = await client.run({
      ...mesh.login(),
      steps: [
        { action: 'query', sql: LATE_ERROR, limit: 1 },
        { action: 'query', sql: LATE_CAST, limit: 1 },
        { action: 'query', sql: 'SELECT 42 AS a' },
      ],
    });
    t.equal(steps[0]?.ok, false, 'the failed stream must not look complete');
    t.match(steps[0]?.error?.message, /boom/);
    t.equal(steps[1]?.ok, false);
    t.match(steps[1]?.error?.message, /convert|cast/i);
    if (name !== 'jetbridge sql') {
      t.same(
        steps.map((step) => step.error?.code),
        ['invalid_argument', 'invalid_argument', undefined],
        JSON.stringify(steps),
      );
    }
    t.same(steps[2]?.rows, [['42']]);
  });
}
