import t from 'tap';
import { KNOWN_SHAPE_CHARACTERS, KNOWN_SHAPES_MAX } from './engine-limits.ts';
import { KnownShapes } from './known-shapes.ts';

t.test('the shape not used for longest leaves', (t) => {
  const known = new KnownShapes<number>();
  for (let i = 0; i < KNOWN_SHAPES_MAX; i++) {
    known.add(`shape ${i}`, i);
  }
  t.equal(known.get('shape 0'), 0);
  known.add('one more', -1);
  t.equal(known.get('shape 0'), 0, 'it was used');
  t.equal(known.get('shape 1'), undefined);
  t.equal(known.get('one more'), -1);
  t.end();
});

t.test('a very wide shape is not kept', (t) => {
  const known = new KnownShapes<number>();
  known.add('x'.repeat(KNOWN_SHAPE_CHARACTERS + 1), 1);
  t.equal(known.get('x'.repeat(KNOWN_SHAPE_CHARACTERS + 1)), undefined);
  t.end();
});
