// What a tidy tree holds to. Each rule finds what breaks it, file by file.

import ts from 'typescript';
import { refusal } from './rooms.ts';
import { readText, type Comment, type Source } from './sources.ts';
import { PATTERNS } from './words.ts';

interface Finding {
  readonly path: string;
  readonly text: string;
}

interface Tree {
  readonly paths: readonly string[];
  readonly sources: readonly Source[];
}

type Rule = (tree: Tree) => Finding[];

const COLUMNS_MAX = 110;
const FUNCTION_LINES_MAX = 60;
const FILE_LINES_MAX = 400;

const isTest = (path: string): boolean => /^(tests|bench)\//.test(path);

export const rooms: Rule = ({ sources }) =>
  sources.flatMap(({ path, imports }) =>
    imports
      .filter(({ isTypeOnly }) => !isTypeOnly)
      .flatMap(({ target }) => refusal(path, target) ?? [])
      .map((text) => ({ path, text })),
  );

/** Whether a file's first comment, its header, explains a circle. */
function explainsCircle({ text }: Source): boolean {
  return /^(?:\/\/.*\n)*?\/\/.*\bcircle\b/.test(text);
}

/** Files that import each other's values, each circle found at the first of its files. */
export const circles: Rule = ({ sources }) => {
  const targets = new Map(
    sources.map(({ path, imports }) => [
      path,
      imports.filter(({ isTypeOnly }) => !isTypeOnly).map(({ target }) => target),
    ]),
  );
  const reach = (start: string): Set<string> => {
    const seen = new Set<string>();
    const queue = [...(targets.get(start) ?? [])];
    for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
      if (seen.has(next)) continue;
      seen.add(next);
      queue.push(...(targets.get(next) ?? []));
    }
    return seen;
  };
  const reached = new Map([...targets.keys()].map((path) => [path, reach(path)]));
  const circleOf = (path: string): string[] =>
    [...reached.get(path)!].filter((other) => reached.get(other)?.has(path)).sort();
  const explained = new Set(sources.filter(explainsCircle).map(({ path }) => path));
  return [...targets.keys()].flatMap((path) => {
    const circle = circleOf(path);
    if (circle.some((file) => explained.has(file))) return [];
    return circle[0] === path ? [{ path, text: `circle: ${circle.join(', ')}` }] : [];
  });
};

/** Columns of each line that are inside strings, templates or regular expressions: these are not broken. */
function quotedColumns({ tree, lines }: Source): number[] {
  const quoted = lines.map(() => 0);
  const add = (from: number, to: number): void => {
    let { line, character } = tree.getLineAndCharacterOfPosition(from);
    const end = tree.getLineAndCharacterOfPosition(to);
    for (; line < end.line; line++, character = 0) quoted[line]! += lines[line]!.length - character;
    quoted[line]! += end.character - character;
  };
  const visit = (node: ts.Node): void => {
    if (ts.isStringLiteral(node) || ts.isTemplateExpression(node) || isPlain(node))
      return add(node.getStart(tree), node.end);
    ts.forEachChild(node, visit);
  };
  visit(tree);
  return quoted;
}

const isPlain = (node: ts.Node): boolean =>
  ts.isNoSubstitutionTemplateLiteral(node) || ts.isRegularExpressionLiteral(node);

/** A row of a table or a diagram in a comment, which is not broken either. */
const isRow = (line: string): boolean =>
  /^\s*(?:\/\/|\*) .*\S {3,}\S/.test(line) || /^\/\/ .*\|/.test(line);

export const columns: Rule = ({ sources }) =>
  sources.flatMap((source) => {
    const quoted = quotedColumns(source);
    return source.lines.flatMap((line, i) =>
      line.length > COLUMNS_MAX && line.length - quoted[i]! > COLUMNS_MAX - 30 && !isRow(line)
        ? [{ path: source.path, text: `line ${i + 1} has ${line.length} columns` }]
        : [],
    );
  });

export const fileLengths: Rule = ({ sources }) =>
  sources
    .filter(({ lines }) => lines.length - 1 > FILE_LINES_MAX)
    .map(({ path, lines }) => ({ path, text: `${lines.length - 1} lines` }));

export const functionLengths: Rule = ({ sources }) =>
  sources.flatMap(({ path, tree }) => {
    const findings: Finding[] = [];
    const lineOf = (position: number): number => tree.getLineAndCharacterOfPosition(position).line;
    const visit = (node: ts.Node): void => {
      const lines = lineOf(node.end) - lineOf(node.getStart(tree)) + 1;
      if (ts.isFunctionLike(node) && 'body' in node && node.body && lines > FUNCTION_LINES_MAX)
        findings.push({
          path,
          text: `line ${lineOf(node.getStart(tree)) + 1}: a function of ${lines} lines`,
        });
      ts.forEachChild(node, visit);
    };
    visit(tree);
    return findings;
  });

export const ignores: Rule = ({ sources }) =>
  sources.flatMap(({ path, lines }) =>
    lines.flatMap((line, i) =>
      /^\s*\/\/ @ts-(ignore|nocheck)/.test(line)
        ? [{ path, text: `line ${i + 1}: ${line.trim()}` }]
        : [],
    ),
  );

/** A wait in a test says in its line, or in the one before, what for: most waits should be handshakes. */
export const waits: Rule = ({ sources }) =>
  sources
    .filter(({ path }) => isTest(path) && !path.startsWith('tests/tidy/'))
    .flatMap(({ path, lines }) =>
      lines.flatMap((line, i) => {
        const hasReason = line.includes('// ') || /^\s*(\/\/|\/?\*)/.test(lines[i - 1] ?? '');
        return /\bsetTimeout\(/.test(line) && !hasReason
          ? [{ path, text: `line ${i + 1}: ${line.trim()}` }]
          : [];
      }),
    );

const MODIFIERS = ts.SyntaxKind.ExportKeyword;

function exportedNames(tree: ts.SourceFile): string[] {
  return tree.statements.flatMap((statement) => {
    if (!ts.canHaveModifiers(statement)) return [];
    if (!ts.getModifiers(statement)?.some(({ kind }) => kind === MODIFIERS)) return [];
    if (ts.isVariableStatement(statement))
      return statement.declarationList.declarations.flatMap(({ name }) =>
        ts.isIdentifier(name) ? [name.text] : [],
      );
    const { name } = statement as ts.DeclarationStatement;
    return name !== undefined && ts.isIdentifier(name) ? [name.text] : [];
  });
}

function identifiers(tree: ts.SourceFile): Set<string> {
  const found = new Set<string>();
  const visit = (node: ts.Node): void => {
    if (ts.isIdentifier(node) || ts.isStringLiteralLike(node)) found.add(node.text);
    ts.forEachChild(node, visit);
  };
  visit(tree);
  return found;
}

/**
 * What a file exports, and nothing outside it names. Guests' entries export to the host, the host's to users.
 */
export const deadExports: Rule = ({ sources }) => {
  const users = new Map<string, number>();
  for (const { tree } of sources)
    for (const name of identifiers(tree)) users.set(name, (users.get(name) ?? 0) + 1);
  return sources
    .filter(({ path }) => !/(^|\/)(index|libdbos|linked)\.ts$|^examples\/|\.d\.ts$/.test(path))
    .flatMap(({ path, tree }) =>
      exportedNames(tree)
        .filter((name) => (users.get(name) ?? 0) < 2)
        .map((name) => ({ path, text: `nothing else uses ${name}` })),
    );
};

/** Documents that say what is so now; a changelog says what was. */
function documents(paths: readonly string[]): string[] {
  return paths.filter((path) => path.endsWith('.md') && path !== 'CHANGELOG.md');
}

const withoutBlocks = (text: string): string => text.replace(/^ *```[^]*?^ *```/gm, '');
/** As in `host/vm/timers.ts`, `pool.ts` or `docs/guest.md`. */
const PATH = /(?<![\w./:@-])(?:[\w-]+\/)*[\w-]+(?:\.[\w-]+)*\.(?:ts|md|c|wat)\b(?![\w/])/g;

/** Names of files, in comments and documents, that are no end of a path here. */
export const paths: Rule = ({ paths: all, sources }) => {
  const ends = new Set(
    all.flatMap((path) => path.split('/').map((_, i, parts) => parts.slice(i).join('/'))),
  );
  const missing = (path: string, text: string): Finding[] =>
    [...text.matchAll(PATH)]
      .filter(([name]) => !ends.has(name))
      .map(([name]) => ({ path, text: `there is no ${name}` }));
  return [
    ...sources.flatMap(({ path, comments }) => comments.flatMap(({ text }) => missing(path, text))),
    ...documents(all).flatMap((path) => missing(path, withoutBlocks(readText(path)))),
  ];
};

/** Strings that people read: they have spaces. */
function messages({ path, tree }: Source): Comment[] {
  if (!path.startsWith('host/')) return [];
  const found: Comment[] = [];
  const visit = (node: ts.Node): void => {
    const isText =
      ts.isStringLiteralLike(node) ||
      ts.isTemplateHead(node) ||
      ts.isTemplateMiddleOrTemplateTail(node);
    if (isText && node.text.includes(' ')) {
      const { line } = tree.getLineAndCharacterOfPosition(node.getStart(tree));
      found.push({ text: node.text, line: line + 1 });
    }
    ts.forEachChild(node, visit);
  };
  visit(tree);
  return found;
}

export const language: Rule = ({ paths: all, sources }) => {
  const findings = (path: string, { text, line }: Comment): Finding[] =>
    PATTERNS.flatMap(([pattern, instead]) => {
      const found = pattern.exec(text.replace(/`[^`]*`/g, ''))?.[0];
      return found === undefined ? [] : [{ path, text: `line ${line}: "${found}": ${instead}` }];
    });
  return [
    ...sources
      .filter(({ path }) => !path.startsWith('tests/tidy/'))
      .flatMap((source) =>
        [...source.comments, ...messages(source)].flatMap((comment) =>
          findings(source.path, comment),
        ),
      ),
    ...documents(all).flatMap((path) =>
      withoutBlocks(readText(path))
        .split('\n')
        .flatMap((text, i) => findings(path, { text, line: i + 1 })),
    ),
  ];
};

/**
 * `//  TAG-1  text ...` in a header defines an invariant; its text goes on until the next tag or an empty
 * line.
 */
const DEFINITION =
  /^\/\/ (?:Invariants)?\s+([A-Z][A-Z0-9]+-\d+[a-z]?) {1,2}(\S[^]*?)(?=^\/\/ (?:\w+)?\s+[A-Z][A-Z0-9]+-\d|^\/\/ [A-Z]\w+ {2}|^\/\/\s*$|^(?!\/\/))/gm;

/** An invariant is cited by a test, or says "by construction". */
export const invariants: Rule = ({ sources }) => {
  const tests = sources
    .filter(({ path }) => path.startsWith('tests/'))
    .map(({ text }) => text)
    .join('\n');
  const isCited = (tag: string): boolean => new RegExp(`\\b${tag}\\b`).test(tests);
  return sources
    .filter(({ path }) => /^(assembly|guest|host)\//.test(path))
    .flatMap(({ path, text }) =>
      [...text.matchAll(DEFINITION)]
        .filter(
          ([, tag, meaning]) => !isCited(tag!) && !/by\s+(\/\/\s+)?construction/i.test(meaning!),
        )
        .map(([, tag]) => ({ path, text: `${tag}: no test cites it` })),
    );
};
