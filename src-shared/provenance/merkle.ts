/**
 * Merkle trees as in RFC 6962 section 2.1 (RFC 9162 section 2.1): the hash of a leaf is SHA-256(0x00 ‖ leaf), that of a node
 * SHA-256(0x01 ‖ left ‖ right), and a list of n is split at the largest power of two below n. The prefixes keep a node from
 * passing for a leaf. Pure; the hash function is given, so that it runs in the core, in a browser and in a test alike.
 */

/** SHA-256 of some bytes. */
export type Sha256 = (bytes: Uint8Array) => Uint8Array;

/** Most steps of a path: a tree that needed more would have 2^32 leaves. */
export const MAX_PATH = 32;

const NODE = 0x01;

function nodeHash(left: Uint8Array, right: Uint8Array, sha256: Sha256): Uint8Array {
  const bytes = new Uint8Array(1 + left.length + right.length);
  bytes[0] = NODE;
  bytes.set(left, 1);
  bytes.set(right, 1 + left.length);
  return sha256(bytes);
}

/** The largest power of two below `n`, for n > 1. */
function splitOf(n: number): number {
  let split = 1;
  while (split * 2 < n) split *= 2;
  return split;
}

/** The root over leaf hashes from `start` to before `end`. */
function rootOf(leaves: readonly Uint8Array[], sha256: Sha256, start: number, end: number): Uint8Array {
  const first = leaves[start];
  if (first !== undefined && end - start === 1) return first;
  if (end <= start) throw new Error('a tree has at least one leaf');
  const middle = start + splitOf(end - start);
  return nodeHash(rootOf(leaves, sha256, start, middle), rootOf(leaves, sha256, middle, end), sha256);
}

/** The root of a tree, from the hashes of its leaves. At least one. */
export function merkleRoot(leaves: readonly Uint8Array[], sha256: Sha256): Uint8Array {
  return rootOf(leaves, sha256, 0, leaves.length);
}

/** The path of a leaf: the hashes that lead from it to the root, the nearest first. */
export function merklePath(leaves: readonly Uint8Array[], index: number, sha256: Sha256): Uint8Array[] {
  if (!Number.isInteger(index) || index < 0 || index >= leaves.length) throw new Error('there is no such leaf');
  const path: Uint8Array[] = [];
  let start = 0;
  let end = leaves.length;
  while (end - start > 1) {
    const middle = start + splitOf(end - start);
    if (index < middle) {
      path.push(rootOf(leaves, sha256, middle, end));
      end = middle;
    } else {
      path.push(rootOf(leaves, sha256, start, middle));
      start = middle;
    }
  }
  return path.reverse();
}

/**
 * The root that a leaf's hash and its path lead to in a tree of `count` leaves (RFC 9162 section 2.1.3.2); undefined when a
 * path of this length cannot belong to that place.
 */
export function rootFromPath(
  leaf: Uint8Array,
  place: { readonly index: number; readonly count: number },
  path: readonly Uint8Array[],
  sha256: Sha256,
): Uint8Array | undefined {
  let { index } = place;
  if (!Number.isSafeInteger(index) || !Number.isSafeInteger(place.count) || index < 0 || index >= place.count) return undefined;
  let last = place.count - 1;
  let hash = leaf;
  for (const step of path) {
    if (last === 0) return undefined;
    if (index % 2 === 1 || index === last) {
      hash = nodeHash(step, hash, sha256);
      // The last leaf of an odd row has no neighbour there: it goes up until it is a right child.
      while (index % 2 === 0 && index !== 0) {
        index /= 2;
        last = Math.floor(last / 2);
      }
    } else {
      hash = nodeHash(hash, step, sha256);
    }
    index = Math.floor(index / 2);
    last = Math.floor(last / 2);
  }
  return last === 0 ? hash : undefined;
}
