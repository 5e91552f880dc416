import type { Drawing } from '../drawing/drawing'
import type { Json } from './json'

/** Reads height, width and channels. */
export function readImageShape(json: Json): readonly [number, number, number] {
  const lengths = json.items().map((each) => each.whole(1))
  const [height, width, channels] = lengths
  if (height === undefined || width === undefined || lengths.length !== 3) {
    json.wrong('height, width and channels')
  }
  if (channels !== 1 && channels !== 3) json.wrong('1 or 3 channels')
  return [height, width, channels]
}

export function readDrawing(json: Json): Drawing {
  return {
    size: json.at('size').whole(1),
    field: json.at('field').whole(1),
    centre: json.at('centre').oneOf('mass', 'box'),
  }
}

/** Reads the name of a file beside the one that says it: one that leads nowhere else. */
export function readFileName(json: Json): string {
  const name = json.title()
  return /^(?!\.)[^/\\?#%:]+$/.test(name) ? name : json.wrong('the name of a file beside it')
}

export function readSha256(json: Json): string {
  const text = json.text()
  return /^[0-9a-f]{64}$/.test(text) ? text : json.wrong('64 hexadecimal digits')
}
