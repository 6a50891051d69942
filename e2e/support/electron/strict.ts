/** Objects that say so when something is used of them that is not emulated. */

/** Wraps `target`: reading a member that it has not throws. Without this a shell that uses more of Electron would pass unseen. */
export function strict<T extends object>(name: string, target: T): T {
  return new Proxy(target, {
    get(object, key): unknown {
      // A promise resolves with an object by asking for its `then`.
      if (typeof key === 'string' && key !== 'then' && !(key in object)) {
        throw new Error(`electron emulation: ${name}.${key} is not emulated`);
      }
      const value: unknown = Reflect.get(object, key, object);
      // Bound, because private members are the object's own and not the wrapper's.
      return typeof value === 'function' ? (...args: unknown[]): unknown => Reflect.apply(value, object, args) : value;
    },
  });
}
