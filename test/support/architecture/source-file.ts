// Reads a TypeScript file as the floor plan sees it: what it imports, how, and what it does when it is imported.

import { parse } from '@babel/parser';
import type { ImportDeclaration, Node, Statement } from '@babel/types';

/** SourceImport is one import or re-export. */
export interface SourceImport {
  readonly line: number;
  /** The text between the quotes; null when `import()` is given something else than a literal. */
  readonly specifier: string | null;
  /** 'type' leaves nothing at run time, 'dynamic' is `import()`. */
  readonly kind: 'static' | 'type' | 'dynamic';
}

export interface SourceFile {
  /** Path from the root of the checkout, with `/`. */
  readonly path: string;
  readonly text: string;
  readonly imports: readonly SourceImport[];
  /** Lines of statements at module level that do something: calls, loops, awaits, assignments. */
  readonly effects: readonly number[];
}

/** readSource parses a file's text. Throws a SyntaxError with line and column. */
export function readSource(path: string, text: string): SourceFile {
  const { program } = parse(text, {
    sourceType: 'module',
    plugins: ['typescript', 'importAttributes', ...(path.endsWith('.tsx') ? (['jsx'] as const) : [])],
  });
  const imports: SourceImport[] = [];
  walk(program, (node) => {
    const found = importOf(node);
    if (found !== null) imports.push({ line: node.loc?.start.line ?? 0, ...found });
  });
  return { path, text, imports, effects: program.body.filter(hasEffect).map((statement) => statement.loc?.start.line ?? 0) };
}

function importOf(node: Node): Omit<SourceImport, 'line'> | null {
  switch (node.type) {
    case 'ImportDeclaration':
      return { specifier: node.source.value, kind: isTypeOnly(node) ? 'type' : 'static' };
    case 'ExportNamedDeclaration':
    case 'ExportAllDeclaration':
      return node.source ? { specifier: node.source.value, kind: node.exportKind === 'type' ? 'type' : 'static' } : null;
    case 'TSImportType':
      return { specifier: literal(node.argument), kind: 'type' };
    case 'TSImportEqualsDeclaration':
      return { specifier: null, kind: 'static' };
    case 'CallExpression':
      if (node.callee.type === 'Import') return { specifier: literal(node.arguments[0]), kind: 'dynamic' };
      return node.callee.type === 'Identifier' && node.callee.name === 'require' ? { specifier: null, kind: 'dynamic' } : null;
    default:
      return null;
  }
}

/** isTypeOnly is about `import type`. `import { type A }` still loads the file (verbatimModuleSyntax). */
function isTypeOnly(node: ImportDeclaration): boolean {
  return node.importKind === 'type';
}

function literal(node: Node | undefined): string | null {
  return node?.type === 'StringLiteral' ? node.value : null;
}

function hasEffect(statement: Statement): boolean {
  if (statement.type === 'ExportNamedDeclaration') return statement.declaration ? hasEffect(statement.declaration) : false;
  if (statement.type === 'VariableDeclaration') return awaits(statement);
  return !/^(Import|Export|Function|Class|TS)\w*Declaration$/.test(statement.type);
}

function awaits(node: Node): boolean {
  let found = false;
  walk(node, (inner, within) => {
    if (inner.type === 'AwaitExpression' && !within.some((each) => /Function|Method/.test(each.type))) found = true;
  });
  return found;
}

function walk(node: Node, visit: (node: Node, within: readonly Node[]) => void, within: readonly Node[] = []): void {
  visit(node, within);
  for (const value of Object.values(node)) {
    for (const child of Array.isArray(value) ? value : [value]) if (isNode(child)) walk(child, visit, [...within, node]);
  }
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'type' in value && 'loc' in value && typeof value.type === 'string';
}
