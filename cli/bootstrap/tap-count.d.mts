export interface TestCounts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

export interface FileCounts extends TestCounts {
  readonly name: string;
}

export class TapCounter {
  readonly counts: TestCounts;
  line(text: string): FileCounts | undefined;
}
