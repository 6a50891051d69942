/**
 * What oRPC's serializers need to be told so that JSON passes them as it is. They copy objects field by field, and copying a
 * field "__proto__" sets the copy's prototype instead: an agent could put there what its peers read and no window shows.
 */

/** A value that is written as it is: JSON.stringify asks `toJSON` for it, and no serializer looks into an instance of a class. */
class AsItIs {
  readonly #value: unknown;

  constructor(value: unknown) {
    this.#value = value;
  }

  toJSON(): unknown {
    return this.#value;
  }
}

/** A number of our own beside those of oRPC's types. Clients pass over types that they do not know. */
const TYPE = 1_000;

/** For `customJsonSerializers` of handlers. What is below such an object is plain JSON: it came from JSON. */
export const WIRE_JSON = [
  {
    type: TYPE,
    condition: (data: unknown): boolean => typeof data === 'object' && data !== null && Object.hasOwn(data, '__proto__'),
    serialize: (data: unknown): unknown => new AsItIs(data),
    deserialize: (data: unknown): unknown => data,
  },
];
