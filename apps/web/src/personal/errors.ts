/** A package, a state, an image or a label that cannot be used; one sentence says why. */
export class PersonalError extends Error {
  override readonly name = 'PersonalError'
}
