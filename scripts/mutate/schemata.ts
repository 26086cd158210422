// All changes of a file in one text, each behind a condition, so that a process that has loaded it
// can make any of them.
//
//   f(a) < b  ($M(7) ? (f(a) <= b) : (f(a) < b))
//   a < b     ($M(8, true) ? (a <= b) : $C(8, (a < b), () => (a <= b)))
//   f(a);     { if ($M(9)) { } else { f(a); } }
//
// $M is isOn() of switch.ts, and $C is compared(): where an expression has no effects, both values
// of it can be had.
//
// An expression or a statement is the smallest that holds the change and may be replaced: not the
// target of an assignment, not what is called. Types are not checked, so the text must parse only.

import ts from "typescript";
import type { Change } from "./changes.ts";

/** A change and its number in the program. */
export interface Numbered {
  readonly id: number;
  readonly change: Change;
}

/** A place where one or more changes are made. */
interface Place {
  readonly from: number;
  readonly to: number;
  readonly isStatement: boolean;
  /** An expression that only reads. */
  readonly isPure: boolean;
  /** What stands there instead, by number; empty when it is left out. */
  readonly instead: Map<number, string>;
}

/** Text between two offsets, and another instead. */
interface Edit {
  readonly from: number;
  readonly to: number;
  readonly text: string;
}

/** What the program calls isOn() and compared(). */
const IS_ON = "$M";
const COMPARED = "$C";

/**
 * `source`, the text of the file `path`, with all of `changes` in it.
 *
 * @param switchUrl Where switch.ts is.
 * @returns The text, and the changes that cannot be put behind a condition.
 */
export function withAll(
  path: string,
  source: string,
  changes: readonly Numbered[],
  switchUrl: string,
): { text: string; left: Numbered[] } {
  const file = ts.createSourceFile(path, source, ts.ScriptTarget.Latest, true);
  const places = new Map<string, Place>();
  const left: Numbered[] = [];
  for (const numbered of changes) {
    const edit = editOf(source, numbered.change);
    const node = replaceable(file, edit, isLeftOut(numbered));
    if (node === undefined) {
      left.push(numbered);
      continue;
    }
    const [from, to] = [node.getStart(file), node.end];
    const key = `${from} ${to}`;
    const place = places.get(key) ??
      { from, to, isStatement: ts.isStatement(node), isPure: isPure(node), instead: new Map() };
    const text = source.slice(from, edit.from) + edit.text + source.slice(edit.to, to);
    place.instead.set(numbered.id, isLeftOut(numbered) ? "" : text);
    places.set(key, place);
  }
  const sorted = [...places.values()].sort((a, b) => a.from - b.from || b.to - a.to);
  const text = render(source, 0, source.length, sorted);
  // Behind the rest, so that lines keep their numbers; imports are loaded first anywhere.
  const names = `isOn as ${IS_ON}, compared as ${COMPARED}`;
  return { text: `${text}\nimport { ${names} } from "${switchUrl}";\n`, left };
}

function isLeftOut({ change }: Numbered): boolean {
  return change.after === "";
}

/** What `change` does to `source`, as little as it can be; of a statement left out, its start. */
function editOf(source: string, change: Change): Edit {
  const lines = source.split("\n");
  const starts = lines.slice(0, change.line - 1).reduce((sum, line) => sum + line.length + 1, 0);
  const old = lines.slice(change.line - 1, change.line - 1 + change.lines).join("\n");
  const trimmed = old.trim();
  const from = starts + old.indexOf(trimmed);
  if (change.after === "") return { from, to: from, text: "" };
  const most = Math.min(trimmed.length, change.after.length);
  let head = 0;
  while (head < most && trimmed[head] === change.after[head]) head++;
  let tail = 0;
  while (tail < most - head && trimmed.at(-1 - tail) === change.after.at(-1 - tail)) tail++;
  return {
    from: from + head,
    to: from + trimmed.length - tail,
    text: change.after.slice(head, change.after.length - tail),
  };
}

/** The smallest node around `edit` that may stand behind a condition. */
function replaceable(file: ts.SourceFile, edit: Edit, isLeftOut: boolean): ts.Node | undefined {
  let node: ts.Node | undefined = around(file, file, edit);
  if (isLeftOut) {
    while (node !== undefined && !ts.isStatement(node)) node = node.parent;
    return node?.getStart(file) === edit.from ? node : undefined;
  }
  for (let at: ts.Node | undefined = node; at !== undefined; at = at.parent) {
    if (ts.isTypeNode(at)) node = at.parent;
  }
  while (node !== undefined && !isReplaceable(node)) node = node.parent;
  return node;
}

function around(file: ts.SourceFile, node: ts.Node, edit: Edit): ts.Node {
  const inner = ts.forEachChild(
    node,
    (child) => child.getStart(file) <= edit.from && child.end >= edit.to ? child : undefined,
  );
  return inner === undefined ? node : around(file, inner, edit);
}

function isReplaceable(node: ts.Node): boolean {
  return ts.isExpressionStatement(node) || (isValue(node) && !bindsOtherwise(node));
}

/** Whether another operator in `node` would bind operands of the expression around it. */
function bindsOtherwise(node: ts.Node): boolean {
  return ts.isBinaryExpression(node) && ts.isBinaryExpression(node.parent) &&
    [
      ts.SyntaxKind.AmpersandToken,
      ts.SyntaxKind.AmpersandAmpersandToken,
      ts.SyntaxKind.BarBarToken,
    ].includes(node.operatorToken.kind);
}

const NO_VALUE: readonly ts.SyntaxKind[] = [
  ts.SyntaxKind.SpreadElement,
  ts.SyntaxKind.OmittedExpression,
  ts.SyntaxKind.SuperKeyword,
  ts.SyntaxKind.ImportKeyword,
  ts.SyntaxKind.PrivateIdentifier,
  ts.SyntaxKind.ExpressionWithTypeArguments,
];

/** Whether `node` is an expression whose value alone counts where it stands. */
function isValue(node: ts.Node): boolean {
  if (!ts.isExpression(node) || NO_VALUE.includes(node.kind)) return false;
  const parent = node.parent;
  if (ts.isPropertyAccessExpression(parent)) {
    return parent.expression === node && !ts.isOptionalChain(parent);
  }
  if (ts.isElementAccessExpression(parent)) {
    return parent.argumentExpression === node || !ts.isOptionalChain(parent);
  }
  if (ts.isCallExpression(parent) || ts.isNewExpression(parent)) return parent.expression !== node;
  if (ts.isBinaryExpression(parent)) return parent.left !== node || !isAssignment(parent);
  if (ts.isPrefixUnaryExpression(parent) || ts.isPostfixUnaryExpression(parent)) {
    const { operator } = parent;
    return operator !== ts.SyntaxKind.PlusPlusToken && operator !== ts.SyntaxKind.MinusMinusToken;
  }
  if (ts.isForOfStatement(parent) || ts.isForInStatement(parent)) return parent.expression === node;
  return !isName(parent, node) && !ts.isNonNullExpression(parent) && !ts.isDeleteExpression(parent);
}

/** Whether `node` reads variables, fields and elements, computes with them, and does no more. */
function isPure(node: ts.Node): boolean {
  if (ts.isCallExpression(node)) {
    return /^Math\.(min|max)$/.test(node.expression.getText()) && node.arguments.every(isPure);
  }
  if (ts.isBinaryExpression(node)) {
    return !isAssignment(node) && isPure(node.left) && isPure(node.right);
  }
  if (ts.isPrefixUnaryExpression(node)) {
    const { operator } = node;
    return operator !== ts.SyntaxKind.PlusPlusToken &&
      operator !== ts.SyntaxKind.MinusMinusToken && isPure(node.operand);
  }
  if (ts.isPropertyAccessExpression(node)) return isPure(node.expression);
  if (ts.isElementAccessExpression(node)) {
    return isPure(node.expression) && isPure(node.argumentExpression);
  }
  if (ts.isConditionalExpression(node)) {
    return isPure(node.condition) && isPure(node.whenTrue) && isPure(node.whenFalse);
  }
  if (ts.isParenthesizedExpression(node) || ts.isNonNullExpression(node)) {
    return isPure(node.expression);
  }
  if (ts.isAsExpression(node)) return isPure(node.expression);
  return ts.isIdentifier(node) || ts.isNumericLiteral(node) || ts.isStringLiteral(node) ||
    [ts.SyntaxKind.TrueKeyword, ts.SyntaxKind.FalseKeyword, ts.SyntaxKind.ThisKeyword]
      .includes(node.kind);
}

function isAssignment({ operatorToken: { kind } }: ts.BinaryExpression): boolean {
  return kind >= ts.SyntaxKind.FirstAssignment && kind <= ts.SyntaxKind.LastAssignment;
}

function isName(parent: ts.Node, node: ts.Node): boolean {
  return ("name" in parent && parent.name === node) ||
    ("propertyName" in parent && parent.propertyName === node) ||
    ts.isTaggedTemplateExpression(parent);
}

/** `source` from `from` to `to` with the changes at `places`, all of which are in there. */
function render(source: string, from: number, to: number, places: readonly Place[]): string {
  let text = "";
  let at = from;
  for (let index = 0; index < places.length;) {
    const place = places[index]!;
    let next = index + 1;
    while (next < places.length && places[next]!.from < place.to) next++;
    const inner = render(source, place.from, place.to, places.slice(index + 1, next));
    text += source.slice(at, place.from) + behindConditions(place, inner);
    at = place.to;
    index = next;
  }
  return text + source.slice(at, to);
}

function behindConditions({ isStatement, isPure, instead }: Place, inner: string): string {
  let text = isStatement ? `{ ${inner} }` : `(${closed(inner)})`;
  for (const [id, code] of instead) {
    const other = closed(code);
    if (isStatement) text = `{ if (${IS_ON}(${id})) { ${other} } else ${text} }`;
    else if (isPure) {
      const value = `${COMPARED}(${id}, ${text}, () => (${other}))`;
      text = `(${IS_ON}(${id}, true) ? (${other}) : ${value})`;
    } else text = `(${IS_ON}(${id}) ? (${other}) : ${text})`;
  }
  return text;
}

/** `text`, so that a bracket behind it is in no comment. */
function closed(text: string): string {
  return text.includes("//") ? `${text}\n` : text;
}
