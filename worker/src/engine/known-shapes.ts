import { KNOWN_SHAPE_CHARACTERS, KNOWN_SHAPES_MAX } from './engine-limits.ts';

/**
 * What was made of columns of a shape. A shape says everything that decides it, so nothing here can become wrong; the one not used for longest
 * leaves when there are too many.
 */
export class KnownShapes<T> {
  readonly #entries: Map<string, T> = new Map();

  get(shape: string): T | undefined {
    const found = this.#entries.get(shape);
    if (found !== undefined) {
      this.#entries.delete(shape);
      this.#entries.set(shape, found);
    }
    return found;
  }

  add(shape: string, made: T): void {
    if (shape.length > KNOWN_SHAPE_CHARACTERS) {
      return;
    }
    this.#entries.set(shape, made);
    if (this.#entries.size > KNOWN_SHAPES_MAX) {
      const [oldest] = this.#entries.keys();
      this.#entries.delete(oldest as string);
    }
  }
}
