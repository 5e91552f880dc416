/**
 * A table of a flatbuffer, whose fields are read by their numbers in the schema.
 *
 * The form is that of https://flatbuffers.dev/internals/. Whatever lies outside of the file makes
 * a RangeError.
 */
export class Table {
  private constructor(
    private readonly view: DataView,
    private readonly start: number,
  ) {}

  /** Returns the root of a file that has this identifier of four letters. */
  static root(bytes: Uint8Array, identifier: string): Table {
    if (bytes.byteLength < 8) throw new Error(`it has ${bytes.byteLength} bytes`)
    const found = String.fromCharCode(...bytes.subarray(4, 8))
    if (found !== identifier) throw new Error(`it does not begin as one, with ${identifier}`)
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    return new Table(view, view.getUint32(0, true))
  }

  /** Returns an int32 or uint32 below 2 ** 31; 0 where it is not there. */
  integer(field: number): number {
    const place = this.place(field)
    return place ? this.view.getInt32(place, true) : 0
  }

  byte(field: number): number {
    const place = this.place(field)
    return place ? this.view.getUint8(place) : 0
  }

  text(field: number): string {
    const [start, length] = this.vector(field, 1)
    return new TextDecoder().decode(
      new Uint8Array(this.view.buffer, this.view.byteOffset + start, length),
    )
  }

  /** Returns a vector of int32. */
  numbers(field: number): number[] {
    const [start, length] = this.vector(field, 4)
    return Array.from({ length }, (_, index) => this.view.getInt32(start + 4 * index, true))
  }

  /** Writes one number of such a vector. */
  setNumber(field: number, index: number, value: number): void {
    const [start, length] = this.vector(field, 4)
    if (index >= length) throw new RangeError(`there is no number ${index}`)
    this.view.setInt32(start + 4 * index, value, true)
  }

  /** Returns a vector of tables. */
  tables(field: number): Table[] {
    const [start, length] = this.vector(field, 4)
    return Array.from({ length }, (_, index) => {
      const place = start + 4 * index
      return new Table(this.view, place + this.view.getUint32(place, true))
    })
  }

  /** Returns where a field is, 0 where it is not there. */
  private place(field: number): number {
    const table = this.start - this.view.getInt32(this.start, true)
    const offset = 4 + 2 * field
    if (offset >= this.view.getUint16(table, true)) return 0
    const found = this.view.getUint16(table + offset, true)
    return found && this.start + found
  }

  /** Returns where a vector begins and how many elements of so many bytes it has. */
  private vector(field: number, width: number): [start: number, length: number] {
    const place = this.place(field)
    if (!place) return [0, 0]
    const vector = place + this.view.getUint32(place, true)
    const length = this.view.getUint32(vector, true)
    if (vector + 4 + length * width > this.view.byteLength) {
      throw new RangeError('a list goes beyond its end')
    }
    return [vector + 4, length]
  }
}
