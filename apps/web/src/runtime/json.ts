/** A value of a JSON file, with where it stands, that is looked at key by key. */
export class Json {
  /**
   * @param value of it
   * @param path of keys to it, '' for the whole
   * @param refuse makes an error of a sentence's end, as "labels: expected a list"
   */
  constructor(
    private readonly value: unknown,
    private readonly path: string,
    private readonly refuse: (reason: string) => Error,
  ) {}

  /** Reads a file; throws what `refuse` makes where it is no JSON in UTF-8. */
  static parsed(content: Uint8Array | string, refuse: (reason: string) => Error): Json {
    let value: unknown
    try {
      const decoder = new TextDecoder('utf-8', { fatal: true })
      value = JSON.parse(typeof content === 'string' ? content : decoder.decode(content))
    } catch (error) {
      throw refuse(`it is no JSON (${error instanceof Error ? error.message : error})`)
    }
    return new Json(value, '', refuse)
  }

  /** What is there, unchecked. */
  get raw(): unknown {
    return this.value
  }

  get isNull(): boolean {
    return this.value === null || this.value === undefined
  }

  /** Throws for a value that is not as it should be. */
  wrong(expected: string): never {
    const shown = JSON.stringify(this.value)?.slice(0, 60) ?? 'not there'
    throw this.refuse(`${this.path || 'it'} is ${shown}, expected ${expected}`)
  }

  at(key: string): Json {
    const { value } = this
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      this.wrong('an object')
    }
    const found = Object.hasOwn(value, key) ? (value as Record<string, unknown>)[key] : undefined
    return new Json(found, this.path ? `${this.path}.${key}` : key, this.refuse)
  }

  keys(): string[] {
    const { value } = this
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      this.wrong('an object')
    }
    return Object.keys(value)
  }

  items(): Json[] {
    if (!Array.isArray(this.value)) this.wrong('a list')
    return this.value.map((each, place) => new Json(each, `${this.path}[${place}]`, this.refuse))
  }

  text(): string {
    return typeof this.value === 'string' ? this.value : this.wrong('a text')
  }

  /** A name of something: a text that is not empty. */
  title(): string {
    return this.text() || this.wrong('a text that is not empty')
  }

  number(): number {
    return typeof this.value === 'number' ? this.value : this.wrong('a number')
  }

  whole(least: number): number {
    const number = this.number()
    return Number.isSafeInteger(number) && number >= least
      ? number
      : this.wrong(`a whole number from ${least} on`)
  }

  oneOf<T extends string>(...choices: readonly T[]): T {
    return choices.find((choice) => choice === this.value) ?? this.wrong(choices.join(' or '))
  }

  orNull<T>(read: (json: Json) => T): T | null {
    return this.isNull ? null : read(this)
  }
}
