import tseslint from 'typescript-eslint';

const ignored = { ignores: ['dist/**', 'node_modules/**'] };

/** TypeScript for the host: the compiler checks types, the linter habits. */
const host = {
  files: ['host/**/*.ts', 'tests/**/*.ts', 'bench/**/*.ts', 'scripts/**/*.ts'],
  ignores: ['tests/*/guest/**'],
  extends: [tseslint.configs.recommended, tseslint.configs.stylistic],
  rules: {
    '@typescript-eslint/no-empty-function': 'off',
    '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
    'no-restricted-syntax': [
      'error',
      { selector: 'ExportDefaultDeclaration', message: 'Export by name.' },
    ],
  },
};

/** What must not be in the host outside its platform and command folders. */
const layers = {
  files: ['host/**/*.ts'],
  ignores: ['host/platform/**', 'host/cli/**'],
  rules: {
    'no-restricted-imports': [
      'error',
      {
        patterns: [
          { group: ['node:*'], message: 'Only host/platform and host/cli know the runtime.' },
        ],
      },
    ],
  },
};

/** AssemblyScript: checked by asc; the linter bans what would allocate or hide shared state. */
const guest = {
  files: ['assembly/**/*.ts', 'guest/**/*.ts', 'tests/*/guest/**/*.ts'],
  languageOptions: { parser: tseslint.parser, parserOptions: { allowInvalidAST: true } },
  rules: {
    'no-restricted-syntax': [
      'error',
      {
        selector: 'NewExpression',
        message: 'Nothing managed: use frames, the slab heap or memory.data().',
      },
      { selector: 'ArrayExpression', message: 'Nothing managed: use memory.data().' },
      {
        selector: 'TemplateLiteral[expressions.length>0]',
        message: 'Strings are compile-time constants.',
      },
      { selector: 'TryStatement', message: 'There are no exceptions here.' },
      { selector: 'ExportAllDeclaration', message: 'Name what is exported.' },
    ],
    'no-constant-condition': ['error', { checkLoops: false }],
    'no-duplicate-imports': 'error',
    'prefer-const': 'error',
  },
};

const kernel = {
  files: ['assembly/**/*.ts'],
  rules: {
    'no-restricted-imports': [
      'error',
      {
        patterns: [
          {
            group: ['**/guest/**', '**/host/**'],
            message: 'Arrows point down: assembly imports nothing above it.',
          },
        ],
      },
    ],
  },
};

const guests = {
  files: ['guest/**/*.ts'],
  rules: {
    'no-restricted-imports': [
      'error',
      {
        patterns: [
          {
            regex: 'assembly/(?!index|linked|abi/)',
            message: 'Guests know libdbos by its two indexes alone.',
          },
          { group: ['**/host/**'], message: 'A guest never knows the host.' },
        ],
      },
    ],
  },
};

export default tseslint.config(ignored, host, layers, guest, kernel, guests);
