import tseslint from 'typescript-eslint';

const ignored = { ignores: ['dist/**', 'node_modules/**'] };

/** TypeScript for the host: the compiler checks types, the linter habits. */
const host = {
  files: ['host/**/*.ts', 'tests/**/*.ts', 'bench/**/*.ts', 'scripts/**/*.{ts,js}'],
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

/** What a room of assembly must not import: docs/architecture.md says which module each is linked into. */
const rooms = (files, regex, message) => ({
  files: files.map((file) => `assembly/${file}`),
  rules: {
    'no-restricted-imports': [
      'error',
      {
        patterns: [
          {
            group: ['**/guest/**', '**/host/**'],
            message: 'Arrows point down: assembly imports nothing above it.',
          },
          { regex, message },
        ],
      },
    ],
  },
});

const assembly = [
  rooms(
    ['abi/**', 'machine/**', 'heap/**'],
    '^\\.\\./(?!abi/|machine/)',
    'Linked into any module: it imports abi/ and machine/ alone.',
  ),
  rooms(
    ['kernel/**', 'snappy/**', 'libdbos.ts'],
    '^\\.{1,2}/(heap|mmu|io|tabby|designs|rewiring)/',
    'libdbos contains nothing of linked guests.',
  ),
  rooms(
    ['mmu/**', 'io/**', 'tabby/**', 'designs/**', 'rewiring/**', 'linked.ts'],
    '^\\.{1,2}/(kernel|snappy)/',
    'A linked guest contains nothing of libdbos: it calls it (mmu/linkage.ts).',
  ),
  rooms(['index.ts'], '^\\./(?!abi/|heap/)', 'Any guest gets abi/ and heap/ alone.'),
  rooms(['mmu/**'], '^\\.\\./(?!abi/|machine/)', 'mmu/ imports abi/ and machine/ alone.'),
  rooms(['io/**'], '^\\.\\./(?!abi/|machine/|mmu/)', 'io/ is below tabby/ and rewiring/.'),
];

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

export default tseslint.config(ignored, host, layers, guest, ...assembly, guests);
