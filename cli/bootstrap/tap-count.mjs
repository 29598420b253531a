// Counts tests in what `tap --reporter=tap` prints.

// Subtests are indented by four and come before the line with their result.
const RESULT = /^((?: {4})*)(ok|not ok) \d+(?: - (.*))?$/;
const DIRECTIVE = /(?<!\\) # (SKIP|TODO)\b/i;
// What tap says of a file that ran to its end without a single test.
const NO_TESTS = 'SKIP no tests found';
const YAML_START = /^( *)---$/;

/**
 * Reads TAP line by line. A test is a block of assertions (`t.test`), innermost first; assertions directly in a file make one test
 * together; whatever is marked SKIP or TODO is one skipped test. A file that ends badly without a failed test (a crash, a time-out) is
 * one failed test, and so is a file without tests.
 */
export class TapCounter {
  #resultsByDepth = [[]];
  #yamlEnd;
  #counts = { passed: 0, failed: 0, skipped: 0 };

  /** What the line completes, if it completes a file: `{ name, ok, passed, failed, skipped }`. */
  line(text) {
    if (this.#yamlEnd !== undefined) {
      this.#yamlEnd = text === this.#yamlEnd ? undefined : this.#yamlEnd;
      return undefined;
    }
    const yaml = YAML_START.exec(text);
    if (yaml !== null) {
      this.#yamlEnd = `${yaml[1]}...`;
      return undefined;
    }
    const [, indent, outcome, description = ''] = RESULT.exec(text) ?? [];
    return outcome === undefined ? undefined : this.#close(indent.length / 4, outcome === 'ok', description);
  }

  get counts() {
    return { ...this.#counts };
  }

  #close(depth, ok, description) {
    const children = this.#resultsByDepth[depth + 1] ?? [];
    this.#resultsByDepth.length = depth + 1;
    const [name, directive = ''] = description.split(' # ');
    const result = { name, ok, directive, skipped: DIRECTIVE.test(description), isAssertion: children.length === 0 };
    const counted = { ...result, ...(depth === 0 ? countFile(result, children) : countBlock(result, children)) };
    if (depth > 0) {
      this.#resultsByDepth[depth] = [...(this.#resultsByDepth[depth] ?? []), counted];
      return undefined;
    }
    for (const kind of Object.keys(this.#counts)) {
      this.#counts[kind] += counted[kind];
    }
    return counted;
  }
}

function countFile(file, children) {
  if (children.length === 0 && file.directive === NO_TESTS) {
    return { passed: 0, failed: 1, skipped: 0 };
  }
  const counts = countBlock(file, children);
  const total = counts.passed + counts.failed + counts.skipped;
  return (file.ok || counts.failed > 0) && total > 0 ? counts : { ...counts, failed: counts.failed + 1 };
}

function countBlock(block, children) {
  if (children.length === 0) {
    return { passed: 0, failed: 0, skipped: block.skipped ? 1 : 0 };
  }
  const sum = (kind) => children.reduce((total, child) => total + child[kind], 0);
  const counts = { passed: sum('passed'), failed: sum('failed'), skipped: sum('skipped') };
  const own = children.filter((child) => child.isAssertion && !child.skipped);
  const ownFailure = own.some((assertion) => !assertion.ok) || (!block.ok && counts.failed === 0);
  if (ownFailure) {
    counts.failed += 1;
  } else if (own.length > 0) {
    counts.passed += 1;
  }
  return counts;
}
