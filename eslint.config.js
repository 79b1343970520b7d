import js from '@eslint/js';
import tseslint from 'typescript-eslint';

/**
 * House rules: typed linting on everything; `any` is an error except at the borders that
 * name themselves with an eslint comment (ORT, JSON parsing, pack loading).
 */
export default tseslint.config(
  {
    ignores: [
      'node_modules',
      '.cache',
      'web/dist',
      'web/dist.*',
      'tests/web/fixtures/packs',
      'input',
      'output',
      'temp',
      'user',
    ],
  },
  js.configs.recommended,
  ...tseslint.configs.recommendedTypeChecked,
  {
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_' },
      ],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/no-floating-promises': 'error',
      eqeqeq: ['error', 'smart'],
      'no-console': 'error',
    },
  },
  {
    files: ['**/*.js', '**/*.mjs'],
    extends: [tseslint.configs.disableTypeChecked],
    languageOptions: { globals: { process: 'readonly', console: 'readonly', URL: 'readonly' } },
  },
  {
    files: ['cli/**', 'bench/**', 'docs/**', '.ci/**', 'tests/golden/**', 'bin/**'],
    rules: { 'no-console': 'off' },
  },
);
