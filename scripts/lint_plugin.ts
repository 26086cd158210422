// House rules that deno lint does not know; their names begin with `house/`.
//
//   hot-path          a function whose doc comment says @hot allocates nothing
//   function-length   a function has at most 60 lines
//   indexed-non-null  `!` only after an indexed read
//   owned-global      Deno.dlopen and the like are named in one folder only
//   catch-place       no `catch` in store, command, net and protocol
//
// An exception carries its reason (tidy.ts looks): // deno-lint-ignore house/<rule> -- <reason>

type Node = Deno.lint.Node;
type Context = Deno.lint.RuleContext;

/** What a `@hot` function may not contain: each allocates, or keeps V8 from optimising. */
const BANNED_NODES = {
  ArrayExpression: "array literal",
  ArrowFunctionExpression: "closure",
  AwaitExpression: "`await`",
  ClassExpression: "class",
  ForInStatement: "iterator loop",
  ForOfStatement: "iterator loop",
  FunctionDeclaration: "closure",
  FunctionExpression: "closure",
  NewExpression: "`new`",
  ObjectExpression: "object literal",
  RestElement: "rest element",
  SpreadElement: "spread",
  TemplateLiteral: "template literal",
  TryStatement: "`try`",
  YieldExpression: "`yield`",
} as const satisfies Partial<Record<Node["type"], string>>;

const ALLOCATING_METHODS = new Set([
  "bind",
  "concat",
  "decode",
  "encode",
  "filter",
  "join",
  "map",
  "slice",
  "split",
  "subarray",
]);

/** The measured copy kernel: the one hot place where a `subarray` pays (see its header). */
const SUBARRAY_KERNEL = "lib/base/copy.ts";

/** Globals that only one folder may name. */
const OWNED_GLOBALS = new Map([
  ["Deno.dlopen", "lib/sys/"],
  ["Deno.UnsafeCallback", "lib/sys/"],
  ["Deno.UnsafeFnPointer", "lib/sys/"],
  ["Deno.UnsafePointer", "lib/sys/"],
  ["Deno.UnsafePointerView", "lib/sys/"],
  ["SharedArrayBuffer", "lib/memory/"],
  ["Atomics", "lib/memory/"],
]);

/** Folders whose failures are values: an exception there is a bug, which ends the server. */
const NO_CATCH = ["lib/store/", "lib/command/", "lib/net/", "lib/protocol/"];

/** Longest function, in lines, without its doc comment. */
const FUNCTION_LINES_MAX = 60;

const HOT_TAG = /(^|\s)@hot\b/;
const ROOT = new URL("..", import.meta.url).pathname;

/** The path inside the repository; a name that is already relative is left alone. */
function repoPath(filename: string): string {
  const path = filename.replaceAll("\\", "/");
  return path.startsWith(ROOT) ? path.slice(ROOT.length) : path;
}

function parentOf(node: Node): Node | undefined {
  // At run time the topmost parent is null, and Node lacks one of the types a parent can have.
  const parent = "parent" in node ? node.parent as Node | null : null;
  return parent ?? undefined;
}

function isFunction(node: Node): boolean {
  return node.type === "FunctionDeclaration" || node.type === "FunctionExpression" ||
    node.type === "ArrowFunctionExpression";
}

/** The declaration that a function's doc comment stands above. */
function documented(fn: Node): Node {
  let node = fn;
  const owner = parentOf(fn);
  if (fn.type !== "FunctionDeclaration" && owner !== undefined) {
    if (["MethodDefinition", "PropertyDefinition", "Property"].includes(owner.type)) node = owner;
    if (owner.type === "VariableDeclarator") node = owner.parent;
  }
  const outer = parentOf(node);
  const exported = outer?.type === "ExportNamedDeclaration" ||
    outer?.type === "ExportDefaultDeclaration";
  return exported ? outer : node;
}

/** The doc comment directly above `node`. */
function docAbove(context: Context, node: Node): Deno.lint.BlockComment | undefined {
  const last = context.sourceCode.getCommentsBefore(node).at(-1);
  if (last?.type !== "Block" || !last.value.startsWith("*")) return undefined;
  const between = context.sourceCode.text.slice(last.range[1], node.range[0]);
  return between.trim() === "" ? last : undefined;
}

function isHot(context: Context, fn: Node): boolean {
  return HOT_TAG.test(docAbove(context, documented(fn))?.value ?? "");
}

/**
 * Whether `node` runs as part of a function marked `@hot`.
 *
 * Arguments of `fail()` and of `throw` do not count: they run once, on the way out.
 */
function insideHot(context: Context, node: Node): boolean {
  for (let n = parentOf(node); n !== undefined; n = parentOf(n)) {
    if (n.type === "ThrowStatement") return false;
    const called = n.type === "CallExpression" && n.callee.type === "Identifier" && n.callee.name;
    if (called === "fail") return false;
    if (isFunction(n)) return isHot(context, n);
  }
  return false;
}

/** Whether `node` is the body of a method or accessor: part of its syntax, not a closure. */
function isMethodBody(node: Node): boolean {
  const owner = parentOf(node);
  if (owner?.type === "MethodDefinition") return true;
  return owner?.type === "Property" && (owner.method || owner.kind !== "init");
}

function isString(node: Node): boolean {
  return node.type === "Literal" && typeof node.value === "string";
}

const hotPath: Deno.lint.Rule = {
  create(context) {
    const path = repoPath(context.filename);
    const claimed = new Set<number>();
    const ban = (node: Node, what: string): void => {
      if (!insideHot(context, node)) return;
      context.report({ node, message: `A @hot function may not use: ${what}` });
    };
    const claim = (node: Node): void => {
      const doc = docAbove(context, node);
      if (doc !== undefined) claimed.add(doc.range[0]);
    };
    const visitor: Deno.lint.LintVisitor = {
      BinaryExpression(node) {
        if (node.operator !== "+" || !(isString(node.left) || isString(node.right))) return;
        ban(node, "string concatenation");
      },
      CallExpression(node) {
        const callee = node.callee.type === "ChainExpression" // `a?.slice()`
          ? node.callee.expression
          : node.callee;
        if (callee.type === "Identifier" && callee.name === "BigInt") ban(node, "BigInt");
        if (callee.type !== "MemberExpression" || callee.property.type !== "Identifier") return;
        const { name } = callee.property;
        if (!ALLOCATING_METHODS.has(name)) return;
        if (name === "subarray" && path === SUBARRAY_KERNEL) return;
        ban(node, `.${name}()`);
      },
      Literal(node) {
        if (typeof node.value === "bigint") ban(node, "BigInt literal");
        if (node.raw.startsWith("/")) ban(node, "regular expression");
      },
      // Declarations without a body may say @hot too: it is their implementations' promise.
      TSMethodSignature: claim,
      TSPropertySignature: claim,
      TSAbstractMethodDefinition: claim,
      TSDeclareFunction: (node) => claim(documented(node)),
      "Program:exit"() {
        for (const comment of context.sourceCode.getAllComments()) {
          if (comment.type !== "Block" || !comment.value.startsWith("*")) continue;
          if (!HOT_TAG.test(comment.value) || claimed.has(comment.range[0])) continue;
          const message = "@hot must stand directly above a function or method";
          context.report({ range: comment.range, message });
        }
      },
    };
    for (const [type, what] of Object.entries(BANNED_NODES)) {
      visitor[type] = (node: Node): void => {
        if (isFunction(node)) claim(documented(node));
        if (!isMethodBody(node)) ban(node, what);
      };
    }
    return visitor;
  },
};

/** The name of a function's declaration; "" for a function that is only a value. */
function nameOf(fn: Node): string {
  if (fn.type === "FunctionDeclaration") return fn.id?.name ?? "";
  const owner = parentOf(fn);
  if (owner?.type === "VariableDeclarator") {
    return owner.id.type === "Identifier" ? owner.id.name : "";
  }
  const isMember = owner?.type === "MethodDefinition" || owner?.type === "PropertyDefinition" ||
    owner?.type === "Property";
  if (!isMember) return "";
  if (owner.key.type === "PrivateIdentifier") return `#${owner.key.name}`;
  return owner.key.type === "Identifier" ? owner.key.name : "";
}

/** Unit tests are exempt: a conversation with a server reads best in one piece. */
const functionLength: Deno.lint.Rule = {
  create(context) {
    const path = repoPath(context.filename);
    if (path.endsWith("_test.ts")) return {};
    const check = (fn: Node): void => {
      const [from, to] = documented(fn).range;
      const lines = context.sourceCode.text.slice(from, to).split("\n").length;
      if (lines <= FUNCTION_LINES_MAX) return;
      const message = `${nameOf(fn) || "function"}: ${lines} lines; at most ${FUNCTION_LINES_MAX}`;
      context.report({ range: [from, from + 1], message });
    };
    return {
      FunctionDeclaration: check,
      FunctionExpression: check,
      ArrowFunctionExpression: check,
    };
  },
};

const indexedNonNull: Deno.lint.Rule = {
  create(context) {
    return {
      TSNonNullExpression(node) {
        const inner = node.expression;
        if (inner.type === "MemberExpression" && inner.computed) return;
        context.report({ node, message: "`!` may only follow an indexed read" });
      },
    };
  },
};

/** Only program code is held to it: tests, benches and scripts may stand in for an owner. */
const ownedGlobal: Deno.lint.Rule = {
  create(context) {
    const path = repoPath(context.filename);
    if (!isProgram(path)) return {};
    const check = (node: Node, name: string): void => {
      const owner = OWNED_GLOBALS.get(name);
      if (owner === undefined || path.startsWith(owner)) return;
      context.report({ node, message: `Only ${owner} may use ${name}` });
    };
    return {
      MemberExpression(node) {
        if (node.object.type !== "Identifier" || node.object.name !== "Deno") return;
        if (node.property.type === "Identifier") check(node, `Deno.${node.property.name}`);
        if (isString(node.property)) {
          check(node, `Deno.${(node.property as Deno.lint.StringLiteral).value}`);
        }
      },
      VariableDeclarator(node) {
        if (node.init?.type !== "Identifier" || node.init.name !== "Deno") return;
        if (node.id.type !== "ObjectPattern") return;
        for (const property of node.id.properties) {
          if (property.type !== "Property" || property.key.type !== "Identifier") continue;
          check(property, `Deno.${property.key.name}`);
        }
      },
      Identifier(node) {
        if (isTypeName(node) || isOwnName(node)) return;
        check(node, node.name);
      },
    };
  },
};

/** Whether `path` is shipped code, as opposed to a test or a script. */
function isProgram(path: string): boolean {
  if (path.endsWith("_test.ts") || path.endsWith("_fixture.ts")) return false;
  return path.startsWith("lib/") || path === "main.ts";
}

function isTypeName(node: Node): boolean {
  const parent = parentOf(node);
  return parent?.type === "TSTypeReference" || parent?.type === "TSQualifiedName" ||
    parent?.type === "TSTypeQuery";
}

/** Whether `node` names a member of an object, as in `x.Atomics` or `{ Atomics: 1 }`. */
function isOwnName(node: Node): boolean {
  const parent = parentOf(node);
  if (parent?.type === "MemberExpression") return parent.property === node && !parent.computed;
  return parent?.type === "Property" && parent.key === node && !parent.shorthand;
}

const catchPlace: Deno.lint.Rule = {
  create(context) {
    const path = repoPath(context.filename);
    if (!isProgram(path) || !NO_CATCH.some((folder) => path.startsWith(folder))) return {};
    return {
      CatchClause(node) {
        const message = `\`catch\` has no place in ${NO_CATCH.join(", ")}`;
        const hint = "Return a named result, or let the worker stop";
        context.report({ node, message, hint });
      },
    };
  },
};

const plugin: Deno.lint.Plugin = {
  name: "house",
  rules: {
    "hot-path": hotPath,
    "function-length": functionLength,
    "indexed-non-null": indexedNonNull,
    "owned-global": ownedGlobal,
    "catch-place": catchPlace,
  },
};
export default plugin;
