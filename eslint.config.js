import { defineConfig, globalIgnores } from 'eslint/config';
import tseslint from 'typescript-eslint';

// tap waits for the subtests it started: these promises need no waiting of ours.
const tapSubtest = { from: 'package', name: 'PromiseWithSubtest', package: '@tapjs/core' };

// Biome lints everything else; these three rules need types.
export default defineConfig(
  globalIgnores(['**/dist/', '**/node_modules/', '**/.tap/', 'test/.clients/', 'bench/.tools/', 'bench/.data/', 'jetbridge-data/']),
  {
    files: ['**/*.ts'],
    plugins: { '@typescript-eslint': tseslint.plugin },
    languageOptions: { parser: tseslint.parser, parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      '@typescript-eslint/await-thenable': 'error',
      '@typescript-eslint/no-floating-promises': ['error', { allowForKnownSafePromises: [tapSubtest] }],
      '@typescript-eslint/no-misused-promises': 'error',
    },
  },
);
