import t from 'tap';
import { usageMetricDefinition, usageMetrics } from './usage-metrics.ts';

const usage = {
  seconds: 2,
  stages: {
    gateway: { cpuS: 1, peakRssBytes: 100 },
    worker: { cpuS: 3, peakRssBytes: 200 },
    client: { cpuS: 0.5, peakRssBytes: 50 },
  },
};

t.test('CPU, memory, and CPU per GB where bytes are known', async (t) => {
  t.same(usageMetrics(usage, 2e9), {
    seconds: 2,
    'cpu:gateway': 1,
    'cpuPerGb:gateway': 0.5,
    'rss:gateway': 100,
    'cpu:worker': 3,
    'cpuPerGb:worker': 1.5,
    'rss:worker': 200,
    'cpu:client': 0.5,
    'cpuPerGb:client': 0.25,
    'rss:client': 50,
    'cpu:servers': 4,
    'cpuPerGb:servers': 2,
  });
  t.notMatch(Object.keys(usageMetrics(usage, undefined)), ['cpuPerGb:gateway']);
  t.same(usageMetrics(undefined, 5), {});
  t.notOk('cpu:servers' in usageMetrics({ seconds: 1, stages: { client: { cpuS: 1, peakRssBytes: 1 } } }, 5), 'nobody but the client');
});

t.test('definitions', async (t) => {
  t.same(usageMetricDefinition('cpuPerGb:gateway'), {
    name: 'cpuPerGb:gateway',
    title: 'CPU per GB, gateway',
    unit: 's/GB',
    better: 'less',
  });
  t.equal(usageMetricDefinition('seconds')?.unit, 's');
  t.equal(usageMetricDefinition('rowsPerS'), undefined);
  t.equal(usageMetricDefinition('cpu'), undefined);
});
