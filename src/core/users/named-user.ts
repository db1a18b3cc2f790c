/** A whole number stands for its decimal digits: `7` and `'7'` are one user. */
type UserId = string | number

/** A user as an embedding application names them: an id, or an id with a name for people to read. */
export type NamedUser = UserId | { readonly id: UserId; readonly name?: string }
