import { readdirSync } from 'node:fs'
import { Deployment } from 'kubernetes-models/apps/v1'
import { HorizontalPodAutoscaler } from 'kubernetes-models/autoscaling/v2'
import { Ingress, NetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1'
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1'
import { Secret, Service } from 'kubernetes-models/v1'
import t from 'tap'
import { parse } from 'yaml'
import {
  configOf,
  imageVariables,
  pathOf,
  readEnvFile,
  readText,
  readYaml,
  secretValues,
  shutdownSeconds,
  unknownNames
} from './support.ts'

const folder = 'deploy/kubernetes'
const models = { Deployment, HorizontalPodAutoscaler, Ingress, NetworkPolicy, PodDisruptionBudget, Secret, Service }

type Manifest = {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> }
}
type Kustomization = {
  readonly resources: readonly string[]
  readonly configMapGenerator: ReadonlyArray<{ readonly name: string; readonly envs: readonly string[] }>
  readonly images: ReadonlyArray<{ readonly name: string; readonly newTag: string }>
}

/** A manifest that the API server would accept. @throws for an unknown field, a wrong type or a missing value */
function checkManifest<Kind extends keyof typeof models>(kind: Kind, text: string): InstanceType<(typeof models)[Kind]> {
  const manifest = new models[kind](parse(text))
  const read = new Set<string>()
  manifest.validate.call(recordReads(manifest, '', read))
  // The schemas permit unknown fields. The validator never reads them.
  const unknown = fieldsOf(parse(text)).filter(path => !read.has(path))
  if (unknown.length > 0) throw new Error(`There are no such fields: ${unknown}`)
  return manifest as InstanceType<(typeof models)[Kind]>
}

const readManifest = <Kind extends keyof typeof models>(file: string, kind: Kind) => checkManifest(kind, readText(folder, file))

/** The same value, which adds the path of every property that is read to `read`. */
function recordReads<T>(value: T, path: string, read: Set<string>): T {
  if (typeof value !== 'object' || value === null) return value
  return new Proxy(value, {
    get: (target, name) => {
      const field = `${path}/${String(name)}`
      read.add(field)
      return recordReads(Reflect.get(target, name), field, read)
    }
  })
}

/** The paths of all fields. */
const fieldsOf = (value: unknown, path = ''): string[] =>
  typeof value === 'object' && value !== null
    ? Object.entries(value).flatMap(([name, child]) => [`${path}/${name}`, ...fieldsOf(child, `${path}/${name}`)])
    : []

const kustomization = readYaml<Kustomization>(folder, 'kustomization.yaml')
const deployment = readManifest('deployment.yaml', 'Deployment')
const pod = deployment.spec?.template.spec
const container = pod?.containers[0]
const fixedVariables = Object.fromEntries((container?.env ?? []).map(({ name, value = '' }) => [name, value]))
const variables = { ...imageVariables(), ...readEnvFile(folder, 'grantkeeper.env'), ...fixedVariables }
const config = configOf(variables)

t.test('every manifest follows the schema of its kind', async t => {
  const files = readdirSync(pathOf(folder)).filter(name => name.endsWith('.yaml') && name !== 'kustomization.yaml')
  for (const file of files) {
    const { apiVersion, kind } = readYaml<Manifest>(folder, file)
    const manifest = readManifest(file, kind as keyof typeof models)
    t.equal(apiVersion, manifest.apiVersion, file)
  }
})

t.test('an unknown field, a wrong type and a missing value are noticed', async t => {
  const mistakes = [
    ['readOnlyRootFilesystem: true', 'readOnlyRootFileSystem: true'],
    ['terminationGracePeriodSeconds: 55', 'terminationGracePeriodSeconds: 55s'],
    ['- name: grantkeeper\n          image', '- image']
  ] as const
  for (const [from, to] of mistakes) t.throws(() => checkManifest('Deployment', readText(folder, 'deployment.yaml').replace(from, to)), to)
})

t.test('the kustomization applies every manifest but the example of the Secret', async t => {
  const files = readdirSync(pathOf(folder)).filter(name => name.endsWith('.yaml'))
  t.strictSame(
    files.filter(name => name !== 'kustomization.yaml' && name !== 'secret.example.yaml'),
    [...kustomization.resources].sort()
  )
  t.strictSame(
    kustomization.images.map(({ name }) => name),
    [container?.image]
  )
})

t.test('the gateway knows all its variables, and accepts them', async t => {
  t.strictSame(unknownNames(variables), [])
  t.ok(config.production)
  t.ok(config.redis)
  const configMap = container?.envFrom?.[0]?.configMapRef?.name
  t.match(kustomization.configMapGenerator, [{ name: configMap, envs: ['grantkeeper.env'] }])
})

t.test('each secret file that a variable names is in the example of the Secret', async t => {
  const secret = readManifest('secret.example.yaml', 'Secret')
  t.equal(pod?.volumes?.[0]?.secret?.secretName, secret.metadata?.name)
  const mountPath = container?.volumeMounts?.[0]?.mountPath
  t.strictSame(
    Object.values(fixedVariables).sort(),
    Object.keys(secret.stringData ?? {})
      .map(name => `${mountPath}/${name}`)
      .sort()
  )
})

t.test('no gateway starts with the values of the example', async t => {
  const { stringData = {} } = readManifest('secret.example.yaml', 'Secret')
  for (const [name, value] of Object.entries(stringData)) {
    if (name === 'ignition_client_secret') continue
    t.throws(() => configOf(variables, { ...secretValues, [name]: value }), { name: 'ConfigError' }, name)
  }
})

t.test('a pod has the time that its shutdown takes', async t => {
  t.ok((pod?.terminationGracePeriodSeconds ?? 0) > shutdownSeconds(config))
})

t.test('the probes ask the port of the gateway, and only liveness restarts it', async t => {
  const port = container?.ports?.find(({ name }) => name === 'http')?.containerPort
  t.equal(port, config.port)
  const pathOf = (probe?: { httpGet?: { path?: string; port: unknown } }) => [probe?.httpGet?.path, probe?.httpGet?.port]
  t.strictSame(pathOf(container?.livenessProbe), ['/health/live', 'http'])
  t.strictSame(pathOf(container?.startupProbe), ['/health/live', 'http'])
  t.strictSame(pathOf(container?.readinessProbe), ['/health/ready', 'http'])
})

t.test('every selector selects the pods', async t => {
  const labels = deployment.spec?.template.metadata?.labels
  const selectors = [
    deployment.spec?.selector.matchLabels,
    readManifest('service.yaml', 'Service').spec?.selector,
    readManifest('pod-disruption-budget.yaml', 'PodDisruptionBudget').spec?.selector?.matchLabels,
    readManifest('network-policy.yaml', 'NetworkPolicy').spec?.podSelector?.matchLabels,
    ...(pod?.topologySpreadConstraints ?? []).map(({ labelSelector }) => labelSelector?.matchLabels)
  ]
  for (const selector of selectors) t.strictSame(selector, labels)
})

t.test('what names another manifest names one that exists', async t => {
  const target = readManifest('horizontal-pod-autoscaler.yaml', 'HorizontalPodAutoscaler').spec?.scaleTargetRef
  t.match(deployment, { apiVersion: target?.apiVersion, kind: target?.kind, metadata: { name: target?.name } })
  const service = readManifest('service.yaml', 'Service')
  const backend = readManifest('ingress.yaml', 'Ingress').spec?.rules?.[0]?.http?.paths[0]?.backend.service
  t.match(service.metadata, { name: backend?.name })
  const [servicePort] = service.spec?.ports ?? []
  t.match(servicePort, { name: backend?.port?.name, targetPort: container?.ports?.[0]?.name })
})

t.test('the ingress serves the host of PUBLIC_URL', async t => {
  const { rules = [], tls = [] } = readManifest('ingress.yaml', 'Ingress').spec ?? {}
  const { hostname } = new URL(config.publicUrl)
  t.strictSame([rules[0]?.host, tls[0]?.hosts], [hostname, [hostname]])
})
