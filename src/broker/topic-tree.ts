// Values by topic level, a node only where topics part: a topic of two hundred levels costs about as much as its text.
//
//   home/kitchen/lamp      root ── "home" ┬─ "kitchen" ┬─ "lamp" { value }
//   home/kitchen/door                     │            └─ "door" { value }
//   home/attic/a/b/c                      └─ "attic/a/b/c" { value }
//
// A label is one level or several; children are found by the first. Two nodes of one parent never begin with the same level.

/** TreeNode holds a value, children, or both. */
export class TreeNode<Value> {
  /** Levels from the parent's, with slashes between them. */
  label: string;
  value: Value | null = null;
  /** By the first level of their labels. */
  children: Map<string, TreeNode<Value>> | null = null;

  constructor(label: string) {
    this.label = label;
  }
}

/** nodeFor gives the node of a topic name, or filter, and makes it. */
export function nodeFor<Value>(root: TreeNode<Value>, topicName: string): TreeNode<Value> {
  let parent = root;
  for (let start = 0; ; ) {
    const level = levelAt(topicName, start);
    parent.children ??= new Map();
    const child = parent.children.get(level);
    if (child === undefined) {
      const node = new TreeNode<Value>(topicName.slice(start));
      parent.children.set(level, node);
      return node;
    }
    const common = commonLength(child.label, topicName, start);
    parent = common === child.label.length ? child : split(parent.children, level, child, common);
    start += common + 1;
    if (start > topicName.length) return parent;
  }
}

/** findPath gives the nodes from the root to that of a topic name, or filter, or null. */
export function findPath<Value>(root: TreeNode<Value>, topicName: string): TreeNode<Value>[] | null {
  const path = [root];
  let node = root;
  for (let start = 0; start <= topicName.length; ) {
    const child = node.children?.get(levelAt(topicName, start));
    if (child === undefined || commonLength(child.label, topicName, start) !== child.label.length) return null;
    path.push(child);
    node = child;
    start += child.label.length + 1;
  }
  return path;
}

/** removeValue takes the value of the last node of a path, and the nodes that nobody needs any more. */
export function removeValue<Value>(path: readonly TreeNode<Value>[]): void {
  const node = path.at(-1)!; // a path has the root at least
  node.value = null;
  const parent = path.at(-2);
  if (parent === undefined) return;
  if (node.children === null) {
    parent.children?.delete(levelAt(node.label, 0));
    if (parent.children?.size === 0) parent.children = null;
    const grandparent = path.at(-3);
    if (grandparent !== undefined) joinWithOnlyChild(grandparent, parent);
  } else {
    joinWithOnlyChild(parent, node);
  }
}

/** A node without a value and with one child is none: topics do not part there. */
function joinWithOnlyChild<Value>(parent: TreeNode<Value>, node: TreeNode<Value>): void {
  if (node.value !== null || node.children?.size !== 1) return;
  const [child] = node.children.values();
  child!.label = ownText(`${node.label}/${child!.label}`); // there is one
  parent.children?.set(levelAt(node.label, 0), child!);
}

/** Puts a node between a child and its parent, for the first `common` characters of its label. */
function split<Value>(siblings: Map<string, TreeNode<Value>>, level: string, child: TreeNode<Value>, common: number): TreeNode<Value> {
  const between = new TreeNode<Value>(ownText(child.label.slice(0, common)));
  child.label = ownText(child.label.slice(common + 1));
  between.children = new Map([[levelAt(child.label, 0), child]]);
  siblings.set(level, between);
  return between;
}

/** levelAt gives the level that begins at an offset. */
export function levelAt(text: string, start: number): string {
  const end = text.indexOf('/', start);
  return end < 0 ? text.slice(start) : text.slice(start, end);
}

/** How many characters of a label are whole levels that stand in the name from `start` on; the first level does. */
function commonLength(label: string, name: string, start: number): number {
  let at = 0;
  while (at < label.length && start + at < name.length && label.charCodeAt(at) === name.charCodeAt(start + at)) at++;
  const endsInLabel = at === label.length || label[at] === '/';
  const endsInName = start + at === name.length || name[start + at] === '/';
  return endsInLabel && endsInName ? at : label.lastIndexOf('/', at - 1);
}

/** Text of its own: as a part of another it would keep all of that alive. */
function ownText(text: string): string {
  return Buffer.from(text).toString();
}
