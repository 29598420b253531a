import t from 'tap';
import { peers, scenarios } from './suite.ts';
import { targets } from './targets.ts';

const namesOf = (entries: readonly { readonly name: string }[]): readonly string[] => entries.map(({ name }) => name);

t.test('names are unique', async (t) => {
  for (const names of [namesOf(peers), namesOf(scenarios), namesOf(targets)]) {
    t.equal(new Set(names).size, names.length);
  }
});

t.test('every peer of a scenario is one of the suite', async (t) => {
  for (const scenario of scenarios) {
    const unknown = scenario.peers.filter((name) => !namesOf(peers).includes(name));
    t.same(unknown, [], scenario.name);
  }
});

t.test('every goal names a scenario, and peers that take part in it', async (t) => {
  for (const { name, numerator, denominators } of targets) {
    for (const figure of [numerator, ...denominators]) {
      const scenario = scenarios.find((one) => one.name === figure.scenario);
      t.ok(scenario?.peers.includes(figure.peer), `${name}: ${figure.scenario}, ${figure.peer}`);
    }
  }
});

t.test('a stretch is beyond its target', async (t) => {
  for (const { name, better, target, stretch } of targets) {
    t.ok(better === 'less' ? stretch <= target : stretch >= target, name);
  }
});
