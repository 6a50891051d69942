import { createHash } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { effort, isDeep } from '#e2e/support/effort.ts';
import { merklePath, merkleRoot, rootFromPath } from './merkle.ts';

const sha256 = (bytes: Uint8Array): Uint8Array => new Uint8Array(createHash('sha256').update(bytes).digest());
const hex = (bytes: Uint8Array | undefined): string | undefined => bytes && Buffer.from(bytes).toString('hex');
const leafOf = (text: Uint8Array): Uint8Array => sha256(new Uint8Array([0, ...text]));
const leavesOf = (count: number): Uint8Array[] =>
  Array.from({ length: count }, (_, index) => leafOf(new TextEncoder().encode(`leaf ${index}`)));

describe('a tree', () => {
  it('has the roots that RFC 6962 logs have over the same entries', () => {
    // The entries and roots of the reference tests of Certificate Transparency (merkletree/tree_test.go).
    const entries = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f'];
    const roots = [
      '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
      'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
      'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
      'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
      '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
      '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
      'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
      '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
    ];
    const leaves = entries.map((entry) => leafOf(Buffer.from(entry, 'hex')));
    expect(leaves.map((_, index) => hex(merkleRoot(leaves.slice(0, index + 1), sha256)))).toEqual(roots);
  });

  it('has no root without leaves', () => {
    expect(() => merkleRoot([], sha256)).toThrow('at least one');
    expect(() => merklePath(leavesOf(2), 2, sha256)).toThrow('no such leaf');
    expect(() => merklePath(leavesOf(2), -1, sha256)).toThrow('no such leaf');
  });
});

describe('paths', () => {
  it('lead from every leaf to the root, for every size up to 300, and are as short as they can be', () => {
    for (let count = 1; count <= 300; count += 1) {
      const leaves = leavesOf(count);
      const root = hex(merkleRoot(leaves, sha256));
      // Every place of the small trees; of the large ones those at the edges of their halves. What it costs grows with the cube.
      const half = 2 ** Math.ceil(Math.log2(count) - 1);
      const places =
        count <= (isDeep ? 100 : 40)
          ? leaves.keys()
          : new Set([0, 1, half - 1, half, half + 1, count - 1].filter((i) => i < count));
      for (const index of places) {
        const path = merklePath(leaves, index, sha256);
        expect(path.length).toBeLessThanOrEqual(Math.ceil(Math.log2(count)));
        expect(hex(rootFromPath(leaves[index] ?? new Uint8Array(), { index, count }, path, sha256))).toBe(root);
      }
    }
  }, 120_000);

  it('that are wrong in any way lead elsewhere', () => {
    const place = fc.integer({ min: 2, max: 300 }).chain((count) =>
      fc.record({
        count: fc.constant(count),
        index: fc.nat({ max: count - 1 }),
        ahead: fc.integer({ min: 1, max: count - 1 }),
        bit: fc.nat({ max: 255 }),
        at: fc.nat(),
      }),
    );
    fc.assert(
      fc.property(place, ({ count, index, ahead, bit, at }) => {
        const other = (index + ahead) % count;
        const leaves = leavesOf(count);
        const root = hex(merkleRoot(leaves, sha256));
        const path = merklePath(leaves, index, sha256);
        const leaf = leaves[index] ?? new Uint8Array();
        const reached = (l: Uint8Array, i: number, n: number, p: readonly Uint8Array[]): string | undefined =>
          hex(rootFromPath(l, { index: i, count: n }, p, sha256));
        const flipped = (bytes: Uint8Array): Uint8Array =>
          bytes.map((byte, i) => (i === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte));
        expect(reached(leaf, index, count, path)).toBe(root);
        expect(reached(flipped(leaf), index, count, path)).not.toBe(root);
        expect(reached(leaves[other] ?? leaf, index, count, path)).not.toBe(root);
        expect(reached(leaf, other, count, path)).not.toBe(root);
        const changed = at % path.length;
        expect(
          reached(
            leaf,
            index,
            count,
            path.map((step, i) => (i === changed ? flipped(step) : step)),
          ),
        ).not.toBe(root);
        expect(reached(leaf, index, count, path.toSpliced(changed, 1))).not.toBe(root);
        expect(reached(leaf, index, count, [...path, leaf])).not.toBe(root);
        expect(reached(leaf, count, count, path)).toBeUndefined();
        expect(reached(leaf, -1, count, path)).toBeUndefined();
        expect(reached(leaf, index + 0.5, count, path)).toBeUndefined();
      }),
      { numRuns: effort.propertyRuns * 3 },
    );
  });

  it('do not let a node pass for a leaf', () => {
    const leaves = leavesOf(4);
    const [a, b] = leaves;
    if (!a || !b) throw new Error('there are four');
    const root = hex(merkleRoot(leaves, sha256));
    const node = merkleRoot([a, b], sha256);
    const right = merkleRoot(leaves.slice(2), sha256);
    // The node itself is a step on the way; a message whose content were the two hashes below it is another leaf.
    expect(hex(rootFromPath(node, { index: 0, count: 2 }, [right], sha256))).toBe(root);
    const forged = leafOf(new Uint8Array([...a, ...b]));
    expect(hex(forged)).not.toBe(hex(node));
    expect(hex(rootFromPath(forged, { index: 0, count: 2 }, [right], sha256))).not.toBe(root);
  });
});
