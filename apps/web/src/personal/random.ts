/** Numbers that look drawn by chance, the same for the same seed. */
export class Random {
  private a: number
  private b: number
  private c: number
  private count = 1

  /** @param seeds whole numbers; others give other numbers */
  constructor(seeds: readonly number[]) {
    const words = [0x9e3779b9, 0x243f6a88, 0xb7e15162]
    for (const seed of [...seeds, seeds.length]) {
      words.forEach((word, place) => {
        words[place] = mixed(mixed(word ^ (seed | 0)) ^ Math.floor(seed / 2 ** 32))
      })
    }
    ;[this.a, this.b, this.c] = words as [number, number, number]
    for (let round = 0; round < 12; round++) this.bits()
  }

  /** Returns a whole number from 0 to `end` - 1, each with the same chance. */
  below(end: number): number {
    const fair = 2 ** 32 - (2 ** 32 % end)
    let drawn = this.bits()
    while (drawn >= fair) drawn = this.bits()
    return drawn % end
  }

  /** Returns 0, 1, ... `length` - 1 in random order. */
  order(length: number): number[] {
    const order = Array.from({ length }, (_, index) => index)
    for (let last = length - 1; last > 0; last--) {
      const other = this.below(last + 1)
      const kept = order[last] as number
      order[last] = order[other] as number
      order[other] = kept
    }
    return order
  }

  /** Returns 32 bits by Chris Doty-Humphrey's sfc32, https://pracrand.sourceforge.net. */
  private bits(): number {
    const sum = (this.a + this.b + this.count++) | 0
    this.a = this.b ^ (this.b >>> 9)
    this.b = (this.c + (this.c << 3)) | 0
    this.c = (((this.c << 21) | (this.c >>> 11)) + sum) | 0
    return sum >>> 0
  }
}

/** Spreads the bits of a number, by the end of MurmurHash3. */
function mixed(word: number): number {
  word = Math.imul(word ^ (word >>> 16), 0x85ebca6b)
  word = Math.imul(word ^ (word >>> 13), 0xc2b2ae35)
  return word ^ (word >>> 16)
}
