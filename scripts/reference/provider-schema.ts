import { join } from 'node:path'
import { ModuleKind, type Node, Project, ScriptTarget, type Type, type Symbol as TypeSymbol } from 'ts-morph'
import { definitionRule } from '../../src/core/provider/definition-rules.ts'
import { isObject, type JsonSchema } from '../../src/core/provider/rules.ts'
import { docsOf } from './comments.ts'

const root = join(import.meta.dirname, '..', '..')

/**
 * The JSON Schema of a definition, for editors and for tools of authors. What a field must be is that of the rules that run when a definition is
 * loaded; what it means is the comment of its type.
 */
export function providerSchema(): string {
  const project = new Project({ compilerOptions: { module: ModuleKind.NodeNext, target: ScriptTarget.ESNext, strict: true, noEmit: true } })
  const provider = project.addSourceFileAtPath(join(root, 'src/core/provider/definition.ts')).getTypeAliasOrThrow('Provider')
  const describe = createDescriber(provider)
  const { properties, ...definition } = describe(definitionRule([]).schema, provider.getType())
  const schema = {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'A provider of Grantkeeper',
    description: textOf(provider),
    ...definition,
    properties: { $schema: { type: 'string', description: 'For editors. Nothing else reads it.' }, ...(properties as object) },
    $defs: describe.shared()
  }
  return `${JSON.stringify(schema, null, 2)}\n`
}

type Describer = {
  (schema: JsonSchema, type: Type | undefined): JsonSchema
  /** Descriptions of types that several fields have, by the name of the type. */
  shared(): Readonly<Record<string, JsonSchema>>
}

/** A walk through a schema and the type that it is of, side by side. */
function createDescriber(location: Node): Describer {
  const named = new Map<JsonSchema, string>()
  const shared: Record<string, JsonSchema> = {}

  function describe(schema: JsonSchema, type: Type | undefined): JsonSchema {
    const name = type?.getAliasSymbol()?.getName()
    if (!(schema.properties || schema.oneOf) || name === undefined || name === 'Provider') return describeParts(schema, type)
    // The same rule, and so the same object, stands for a type wherever it is used.
    const known = named.get(schema)
    if (known !== undefined) return { $ref: `#/$defs/${known}` }
    const description = type?.getAliasSymbol() && commentOf(type.getAliasSymbol() as TypeSymbol)
    const described = { ...(description && { description }), ...describeParts(schema, type) }
    const key = nameOf(name, described)
    named.set(schema, key)
    shared[key] = described
    return { $ref: `#/$defs/${key}` }
  }

  /** One that no other schema has: what is allowed in a type may depend on the method. */
  function nameOf(name: string, described: JsonSchema): string {
    const isFree = (key: string) => !Object.hasOwn(shared, key) || JSON.stringify(shared[key]) === JSON.stringify(described)
    let key = name
    for (let i = 2; !isFree(key); i++) key = `${name}${i}`
    return key
  }

  function describeParts(schema: JsonSchema, type: Type | undefined): JsonSchema {
    const members = membersOf(type)
    const { properties, items, additionalProperties, anyOf, oneOf } = schema
    return {
      ...schema,
      ...(isObject(properties) && { properties: mapValues(properties, (one, name) => describeField(one as JsonSchema, name, members)) }),
      ...(isObject(items) && { items: describe(items, elementOf(members)) }),
      ...(isObject(additionalProperties) && {
        additionalProperties: describe(additionalProperties, members.map(one => one.getStringIndexType()).find(Boolean))
      }),
      ...(Array.isArray(anyOf) && {
        anyOf: anyOf.map(one =>
          describe(
            one,
            members.find(member => isOf(one, member))
          )
        )
      }),
      ...(Array.isArray(oneOf) && {
        oneOf: oneOf.map(one =>
          describe(
            one,
            members.find(member => isOf(one, member))
          )
        )
      })
    }
  }

  function describeField(schema: JsonSchema, name: string, members: readonly Type[]): JsonSchema {
    const symbol = members.map(member => member.getProperty(name)).find(Boolean)
    const description = symbol && commentOf(symbol)
    const described = describe(schema, symbol?.getTypeAtLocation(location).getNonNullableType())
    return { ...(description && { description }), ...described }
  }

  return Object.assign(describe, { shared: () => shared })
}

const membersOf = (type: Type | undefined): readonly Type[] => (type?.isUnion() ? type.getUnionTypes() : type ? [type] : [])

const elementOf = (members: readonly Type[]): Type | undefined =>
  members.map(member => member.getArrayElementType() ?? member.getNumberIndexType()).find(Boolean)

/** Whether a schema is that of this member of a union: by the value that tells the members apart, else by its kind. */
function isOf({ type, properties }: JsonSchema, member: Type): boolean {
  if (type === 'string') return member.isString() || member.isStringLiteral()
  if (type === 'array') return member.isArray() || member.isReadonlyArray()
  if (!isObject(properties) || !member.isObject()) return false
  return Object.entries(properties).every(([name, field]) => {
    const value = isObject(field) && 'const' in field ? field.const : undefined
    const symbol = member.getProperty(name)
    return symbol !== undefined && (value === undefined || symbol.getValueDeclaration()?.getType().getLiteralValue() === value)
  })
}

function commentOf(symbol: TypeSymbol): string {
  const [declaration] = symbol.getDeclarations()
  return declaration ? textOf(declaration) : ''
}

const textOf = (node: Node): string =>
  docsOf(node)
    .paragraphs.map(paragraph => paragraph.replace(/\s*\n\s*/g, ' '))
    .join('\n\n')

const mapValues = <V, R>(record: Readonly<Record<string, V>>, change: (value: V, name: string) => R): Record<string, R> =>
  Object.fromEntries(Object.entries(record).map(([name, value]) => [name, change(value, name)]))
