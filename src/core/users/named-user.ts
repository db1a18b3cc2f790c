/** A user as an embedding application names them: an id, or an id with a name for people to read. */
export type NamedUser = string | { readonly id: string; readonly name?: string }
