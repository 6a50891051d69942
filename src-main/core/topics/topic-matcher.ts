/**
 * Who has a pattern that a topic's name matches: a trie over the words of patterns, walked word by word with the set of nodes
 * that the name may have reached. `*` is one word, `#` none or more; several `#` in a pattern cost no more than one, because a
 * node is reached at most once for each word.
 */
import { ANY_WORD, ANY_WORDS, wordsOf } from '#shared/topics/model.ts';

interface Node {
  readonly children: Map<string, Node>;
  /** Those whose pattern ends here. */
  readonly owners: Set<string>;
  /** Whether it stands for `#`: any word leads back to it. */
  readonly isAnyWords: boolean;
}

function makeNode(isAnyWords: boolean): Node {
  return { children: new Map(), owners: new Set(), isAnyWords };
}

/** Patterns and their owners, for names to be looked up in. */
export class TopicMatcher {
  readonly #root = makeNode(false);

  /** Adds a pattern of an owner's. Whether it was not there yet. */
  add(pattern: string, owner: string): boolean {
    let node = this.#root;
    for (const word of wordsOf(pattern)) {
      const next = node.children.get(word) ?? makeNode(word === ANY_WORDS);
      node.children.set(word, next);
      node = next;
    }
    if (node.owners.has(owner)) return false;
    node.owners.add(owner);
    return true;
  }

  /** Takes a pattern of an owner's away. Whether it was there. What nobody needs any more is dropped. */
  remove(pattern: string, owner: string): boolean {
    const words = wordsOf(pattern);
    const path = [this.#root];
    for (const word of words) {
      const next = path.at(-1)?.children.get(word);
      if (!next) return false;
      path.push(next);
    }
    if (path.at(-1)?.owners.delete(owner) !== true) return false;
    for (let depth = words.length; depth > 0; depth -= 1) {
      const node = path[depth];
      if (node && (node.owners.size > 0 || node.children.size > 0)) break;
      path[depth - 1]?.children.delete(words[depth - 1] ?? '');
    }
    return true;
  }

  /** The owners of patterns that a name matches, each once, sorted. */
  match(name: string): string[] {
    let reached = new Set<Node>();
    reach(this.#root, reached);
    for (const word of wordsOf(name)) {
      const next = new Set<Node>();
      for (const node of reached) {
        if (node.isAnyWords) reach(node, next);
        reach(node.children.get(word), next);
        reach(node.children.get(ANY_WORD), next);
      }
      reached = next;
      if (reached.size === 0) return [];
    }
    const owners = new Set<string>();
    for (const node of reached) for (const owner of node.owners) owners.add(owner);
    return [...owners].sort();
  }

  /** How many nodes there are besides the root: leak checks use it. */
  get size(): number {
    const count = (node: Node): number => [...node.children.values()].reduce((sum, child) => sum + 1 + count(child), 0);
    return count(this.#root);
  }
}

/** Notes that a node is reached, and with it what stands behind a `#` for no word. */
function reach(node: Node | undefined, reached: Set<Node>): void {
  for (let at = node; at && !reached.has(at); at = at.children.get(ANY_WORDS)) reached.add(at);
}
