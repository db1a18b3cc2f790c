import {
  type ArrowFunction,
  type ClassDeclaration,
  type ConstructorDeclaration,
  type FunctionDeclaration,
  type MethodDeclaration,
  Node,
  type ParameterDeclaration,
  SyntaxKind
} from 'ts-morph'

type Callable = ArrowFunction | ConstructorDeclaration | FunctionDeclaration | MethodDeclaration

export const nameOf = (node: Node | undefined): string => (node && Node.hasName(node) ? node.getName() : '')

/** Where the comment of a declaration is. */
export function commentOwnerOf(node: Node): Node | undefined {
  if (Node.isVariableDeclaration(node)) return node.getVariableStatement()
  if (!Node.isCallExpression(node)) return node
  // The function in `export default fp(function)`.
  const definitions = node.getDescendantsOfKind(SyntaxKind.Identifier).flatMap(name => name.getDefinitionNodes())
  return definitions.find(definition => Node.isFunctionDeclaration(definition) && definition.getSourceFile() === node.getSourceFile())
}

/** Types of this project that a declaration names where a caller sees them. */
export function usedBy(node: Node): Set<Node> {
  if (isValues(node)) return new Set()
  const replaced = typeNodesOf(node).flatMap(type => fieldsOfValues(type))
  const names = typeNodesOf(node)
    .flatMap(type => type.getDescendantsOfKind(SyntaxKind.Identifier))
    .filter(name => !replaced.some(field => field.containsRange(name.getPos(), name.getEnd())))
  const declarations = names.map(name => {
    const symbol = name.getSymbol()
    // What a library declares too (`FastifyRequest`) is its type.
    const [declaration, ...others] = (symbol?.getAliasedSymbol() ?? symbol)?.getDeclarations() ?? []
    return others.length === 0 ? declaration : undefined
  })
  const isOurs = (declaration: Node) => !declaration.getSourceFile().isInNodeModules() && declaration !== node
  const isType = (declaration: Node) => Node.isTypeAliasDeclaration(declaration) || Node.isClassDeclaration(declaration)
  return new Set(declarations.filter(declaration => declaration !== undefined).filter(d => isOurs(d) && isType(d)))
}

/** `Connection['method']` and the like, of which only the values say anything. */
const fieldsOfValues = (node: Node): Node[] =>
  node.getDescendantsOfKind(SyntaxKind.IndexedAccessType).filter(field => valuesOf(field).length > 0)

/** Of a union of texts. */
const valuesOf = (node: Node): string[] => {
  const types = node.getType().getUnionTypes()
  return types.every(type => type.isStringLiteral()) ? types.map(type => `'${type.getLiteralValue()}'`).sort() : []
}

/** The source text of a type, with values instead of the names of fields that have them. */
function textOf(node: Node): string {
  const start = node.getStart()
  let text = node.getText()
  for (const field of fieldsOfValues(node).reverse()) {
    const values = valuesOf(field).join(' | ')
    const isItem = Node.isArrayTypeNode(field.getParent())
    text = text.slice(0, field.getStart() - start) + (isItem ? `(${values})` : values) + text.slice(field.getEnd() - start)
  }
  return text
}

/** The parts of a declaration that a caller sees. */
function typeNodesOf(node: Node): Node[] {
  if (Node.isClassDeclaration(node)) return membersOf(node).flatMap(typeNodesOf)
  const signature = signatureOf(node)
  if (signature)
    return [...signature.getParameters().map(p => p.getTypeNode()), signature.getReturnTypeNode()].filter(type => type !== undefined)
  if (Node.isVariableDeclaration(node) || Node.isPropertyDeclaration(node)) return [node.getTypeNode()].filter(type => type !== undefined)
  return [node]
}

/** A function, also one that a constant holds. */
function signatureOf(node: Node): Callable | undefined {
  if (Node.isFunctionDeclaration(node) || Node.isMethodDeclaration(node) || Node.isConstructorDeclaration(node)) return node
  const value = Node.isVariableDeclaration(node) ? node.getInitializer() : undefined
  return Node.isArrowFunction(value) ? value : undefined
}

/** `keyof typeof table` and the like: only their values say anything. */
const isValues = (node: Node): boolean =>
  Node.isTypeAliasDeclaration(node) && node.getDescendantsOfKind(SyntaxKind.TypeQuery).length > 0 && valuesOf(node).length > 0

/** A declaration as a caller sees it. */
export function codeOf(node: Node): string {
  if (isValues(node))
    return `type ${nameOf(node)} =\n${valuesOf(node)
      .map(value => `  | ${value}`)
      .join('\n')}`
  const signature = signatureOf(node)
  if (signature) return `function ${callOf(node, signature)}`
  if (Node.isClassDeclaration(node)) return classOf(node)
  if (Node.isVariableDeclaration(node)) return `const ${node.getName()}: ${node.getTypeNode()?.getText() ?? node.getType().getText(node)}`
  if (Node.isTypeAliasDeclaration(node)) return textOf(node).replace(/^export /, '')
  // `export default fp(… as Type)`: its type is what a caller sees.
  const [type] = node.getDescendantsOfKind(SyntaxKind.AsExpression).map(as => as.getTypeNode()?.getText())
  if (type === undefined) throw new Error(`There is no form yet for ${node.getText()}.`)
  return `const ${nameOf(commentOwnerOf(node))}: ${type}`
}

function callOf(node: Node, signature: Callable): string {
  const name = nameOf(node) || 'constructor'
  const isComponent = /^[A-Z]/.test(name)
  const parameters = signature.getParameters().map(parameter => parameterOf(parameter, isComponent ? 'props' : 'options'))
  const returned = signature.getReturnTypeNode()?.getText() ?? signature.getReturnType().getText(node)
  const types = Node.isTypeParametered(signature) ? signature.getTypeParameters().map(type => type.getText()) : []
  return `${name}${types.length > 0 ? `<${types.join(', ')}>` : ''}(${parameters.join(', ')})${name === 'constructor' ? '' : `: ${returned}`}`
}

function parameterOf(parameter: ParameterDeclaration, nameOfPattern: string): string {
  const isPattern = !Node.isIdentifier(parameter.getNameNode())
  const type = parameter.getTypeNode()?.getText() ?? parameter.getType().getText(parameter)
  return `${isPattern ? nameOfPattern : parameter.getName()}${parameter.isOptional() ? '?' : ''}: ${type}`
}

const membersOf = (node: ClassDeclaration): Node[] =>
  [...node.getInstanceProperties(), ...node.getConstructors(), ...node.getInstanceMethods()].filter(
    member => !member.getText().startsWith('#') && !(Node.isModifierable(member) && member.hasModifier('private'))
  )

function classOf(node: ClassDeclaration): string {
  const members = membersOf(node).flatMap(member => {
    const comment = Node.isJSDocable(member) ? member.getJsDocs().map(doc => doc.getText()) : []
    const signature = signatureOf(member)
    const declared = signature ? callOf(member, signature) : member.getText().replace(/^(override |declare )+/, '')
    return [...comment, declared].map(text => `  ${text}`)
  })
  const base = node.getExtends()
  return `class ${node.getName()}${base ? ` extends ${base.getText()}` : ''} {\n${members.join('\n')}\n}`
}
