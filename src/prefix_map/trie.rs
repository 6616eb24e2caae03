//! The index of a [`PrefixMap`](super::PrefixMap). It maps each prefix to the number of its slot.
//!
//! A node reads six bits of the address. The depth of a node is a multiple of six. A node has two
//! words of 64 bits. In the first word, a bit is set for each prefix that ends in the six bits of
//! the node. In the second word, a bit is set for each branch that exists. For each word, the node
//! has a vector with one item for each set bit. If a branch has only one prefix, the branch is a
//! leaf with this prefix, and the prefix can have any length. So every node has at least two items.
//! A lookup in a map with a million hosts, in IPv4 or IPv6, needs a few steps, and each step can
//! cause one cache miss. (In a binary trie of the same hosts, a lookup causes about three times as
//! many cache misses.)

use super::bits::{Bits, Prefix};

/// The number of bits that one node reads.
pub(super) const STRIDE: u8 = 6;
const BRANCHES: usize = 1 << STRIDE;

/// The ends that can be on the path to a branch, for each branch of a node. An end is a prefix that
/// ends in the node. Each end has one bit, and the lowest bit stands for the shortest end.
const ENDS_TO: [u64; BRANCHES] = ends_to();
/// The numbers of all ends and branches of a node, in the order of their prefixes. The number of an
/// end is below 64. For a branch, 64 is added to the number of the branch.
const ORDER: [u8; 2 * BRANCHES - 1] = order();
/// The position in [`ORDER`] of each end and branch.
const STEP_OF: [u8; 2 * BRANCHES] = step_of();

/// Returns the number of the end that is on the path to `branch` and is `len` bits longer than the
/// depth of the node.
const fn end(len: u8, branch: usize) -> usize {
    (1 << len) - 1 + (branch >> (STRIDE - len))
}

const fn ends_to() -> [u64; BRANCHES] {
    let mut ends = [0; BRANCHES];
    let mut branch = 0;
    while branch < BRANCHES {
        let mut len = 0;
        while len < STRIDE {
            ends[branch] |= 1 << end(len, branch);
            len += 1;
        }
        branch += 1;
    }
    ends
}

const fn order() -> [u8; 2 * BRANCHES - 1] {
    let mut order = [0; 2 * BRANCHES - 1];
    let (mut step, mut branch) = (0, 0);
    while branch < BRANCHES {
        let mut len = 0;
        while len < STRIDE {
            // In the order of the prefixes, an end precedes the first branch that the end covers.
            if branch.is_multiple_of(1 << (STRIDE - len)) {
                order[step] = end(len, branch) as u8;
                step += 1;
            }
            len += 1;
        }
        order[step] = (BRANCHES + branch) as u8;
        step += 1;
        branch += 1;
    }
    order
}

const fn step_of() -> [u8; 2 * BRANCHES] {
    let mut step_of = [0; 2 * BRANCHES];
    let mut step = 0;
    while step < ORDER.len() {
        step_of[ORDER[step] as usize] = step as u8;
        step += 1;
    }
    step_of
}

/// Returns the number of set bits in `word` below the bit with the number `bit`.
fn rank(word: u64, bit: usize) -> usize {
    (word & ((1 << bit) - 1)).count_ones() as usize
}

fn has(word: u64, bit: usize) -> bool {
    word >> bit & 1 != 0
}

#[derive(Clone, Debug)]
enum Child<B> {
    Leaf(Prefix<B>, u32),
    Node(Box<Node<B>>),
}

/// A node of the trie. The order of the fields is the order in which a lookup reads them.
#[derive(Clone, Debug)]
#[repr(C)]
struct Node<B> {
    /// The first bits of all prefixes in this node and below this node. The number of these bits is
    /// a multiple of [`STRIDE`].
    path: Prefix<B>,
    /// The prefixes that end in this node. Each prefix has one bit.
    ends: u64,
    /// The branches that exist. Each branch has one bit. `children` contains the child of each of
    /// these branches, in the same order.
    branches: u64,
    children: Vec<Child<B>>,
    /// The slots of the prefixes in `ends`, in the same order.
    slots: Vec<u32>,
}

impl<B: Bits> Child<B> {
    /// Returns a prefix that covers all prefixes in this child: the prefix of a leaf, or the path
    /// of a node.
    fn prefix(&self) -> Prefix<B> {
        match self {
            Child::Leaf(prefix, _) => *prefix,
            Child::Node(node) => node.path,
        }
    }

    fn insert(&mut self, prefix: Prefix<B>, slot: u32) -> Option<u32> {
        match self {
            Child::Leaf(own, old) if *own == prefix => Some(std::mem::replace(old, slot)),
            Child::Node(node) if node.path.covers(prefix) => node.insert(prefix, slot),
            _ => {
                let shared = self.prefix().shared(prefix);
                let path = prefix.first(shared - shared % STRIDE);
                let mut node = Node { path, ends: 0, slots: vec![], branches: 0, children: vec![] };
                node.insert(prefix, slot);
                node.adopt(std::mem::replace(self, Child::Leaf(prefix, slot)));
                *self = Child::Node(Box::new(node));
                None
            }
        }
    }
}

impl<B: Bits> Node<B> {
    /// Returns the number of the end that is equal to `prefix`, if `prefix` ends in this node.
    fn end_of(&self, prefix: Prefix<B>) -> Option<usize> {
        let len = prefix.len - self.path.len;
        (len < STRIDE).then(|| end(len, self.branch_of(prefix)))
    }

    fn branch_of(&self, prefix: Prefix<B>) -> usize {
        prefix.bits.six_after(self.path.len)
    }

    fn prefix_of_end(&self, end: usize) -> Prefix<B> {
        let len = (end + 1).ilog2() as u8;
        let branch = (end + 1 - (1 << len)) << (STRIDE - len);
        let bits = self.path.bits.with_six_after(self.path.len, branch);
        Prefix { bits, len: self.path.len + len }
    }

    fn slot_of_end(&self, end: usize) -> u32 {
        self.slots[rank(self.ends, end)]
    }

    fn child(&self, branch: usize) -> Option<&Child<B>> {
        has(self.branches, branch).then(|| &self.children[rank(self.branches, branch)])
    }

    /// Adds a child directly below this node. The branch of a child that is a node must not exist
    /// yet.
    fn adopt(&mut self, child: Child<B>) {
        match child {
            Child::Leaf(prefix, slot) => {
                self.insert(prefix, slot);
            }
            node => {
                let branch = self.branch_of(node.prefix());
                self.children.insert(rank(self.branches, branch), node);
                self.branches |= 1 << branch;
            }
        }
    }

    fn insert(&mut self, prefix: Prefix<B>, slot: u32) -> Option<u32> {
        if let Some(end) = self.end_of(prefix) {
            let rank = rank(self.ends, end);
            if has(self.ends, end) {
                return Some(std::mem::replace(&mut self.slots[rank], slot));
            }
            self.ends |= 1 << end;
            self.slots.insert(rank, slot);
            return None;
        }
        let branch = self.branch_of(prefix);
        let rank = rank(self.branches, branch);
        if has(self.branches, branch) {
            return self.children[rank].insert(prefix, slot);
        }
        self.branches |= 1 << branch;
        self.children.insert(rank, Child::Leaf(prefix, slot));
        None
    }

    fn remove(&mut self, prefix: Prefix<B>) -> Option<u32> {
        if let Some(end) = self.end_of(prefix) {
            has(self.ends, end).then_some(())?;
            let slot = self.slots.remove(rank(self.ends, end));
            self.ends &= !(1 << end);
            return Some(slot);
        }
        let branch = self.branch_of(prefix);
        has(self.branches, branch).then_some(())?;
        let rank = rank(self.branches, branch);
        match &mut self.children[rank] {
            Child::Leaf(own, slot) if *own == prefix => {
                let slot = *slot;
                self.children.remove(rank);
                self.branches &= !(1 << branch);
                Some(slot)
            }
            child => remove_below(child, prefix),
        }
    }

    /// Returns the only item of this node, if the node has exactly one item. An item is an end or a
    /// child.
    fn take_only(&mut self) -> Option<Child<B>> {
        match (self.slots.as_slice(), self.children.len()) {
            (&[slot], 0) => {
                let end = self.ends.trailing_zeros() as usize;
                Some(Child::Leaf(self.prefix_of_end(end), slot))
            }
            ([], 1) => self.children.pop(),
            _ => None,
        }
    }
}

/// Removes a prefix from the node `child`. If the node then has only one item, this item replaces
/// the node.
fn remove_below<B: Bits>(child: &mut Child<B>, prefix: Prefix<B>) -> Option<u32> {
    let Child::Node(node) = child else { return None };
    node.path.covers(prefix).then_some(())?;
    let slot = node.remove(prefix)?;
    if let Some(only) = node.take_only() {
        *child = only;
    }
    Some(slot)
}

/// A trie. It contains the number of the slot of each prefix.
#[derive(Clone, Debug)]
pub(super) struct Trie<B> {
    root: Option<Child<B>>,
    len: usize,
}

impl<B> Default for Trie<B> {
    fn default() -> Self {
        Trie { root: None, len: 0 }
    }
}

impl<B: Bits> Trie<B> {
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Sets the slot of a prefix. Returns the previous slot of the prefix.
    pub(super) fn insert(&mut self, prefix: Prefix<B>, slot: u32) -> Option<u32> {
        let before = match &mut self.root {
            Some(root) => root.insert(prefix, slot),
            None => {
                self.root = Some(Child::Leaf(prefix, slot));
                None
            }
        };
        self.len += usize::from(before.is_none());
        before
    }

    pub(super) fn remove(&mut self, prefix: Prefix<B>) -> Option<u32> {
        let slot = match self.root.as_mut()? {
            Child::Leaf(own, slot) if *own == prefix => {
                let slot = *slot;
                self.root = None;
                slot
            }
            root => remove_below(root, prefix)?,
        };
        self.len -= 1;
        Some(slot)
    }

    /// Returns the slot of exactly `prefix`.
    pub(super) fn get(&self, prefix: Prefix<B>) -> Option<u32> {
        let mut child = self.root.as_ref()?;
        loop {
            match child {
                Child::Leaf(own, slot) => return (*own == prefix).then_some(*slot),
                Child::Node(node) => {
                    node.path.covers(prefix).then_some(())?;
                    if let Some(end) = node.end_of(prefix) {
                        return has(node.ends, end).then(|| node.slot_of_end(end));
                    }
                    child = node.child(node.branch_of(prefix))?;
                }
            }
        }
    }

    /// Returns the longest prefix that covers a host, with its slot.
    pub(super) fn longest_match(&self, host: Prefix<B>) -> Option<(Prefix<B>, u32)> {
        let mut longest = None;
        let mut next = self.root.as_ref();
        while let Some(child) = next {
            match child {
                Child::Leaf(prefix, slot) => {
                    if prefix.covers(host) {
                        return Some((*prefix, *slot));
                    }
                    break;
                }
                Child::Node(node) => {
                    if !node.path.covers(host) {
                        break;
                    }
                    let branch = node.branch_of(host);
                    let ends = node.ends & ENDS_TO[branch];
                    if ends != 0 {
                        longest = Some((node, ends.ilog2() as usize));
                    }
                    next = node.child(branch);
                }
            }
        }
        longest.map(|(node, end)| (node.prefix_of_end(end), node.slot_of_end(end)))
    }

    /// Returns the prefixes that cover `prefix`, beginning with the shortest prefix. `prefix`
    /// itself is included.
    pub(super) fn covering(&self, prefix: Prefix<B>) -> Covering<'_, B> {
        Covering { prefix, next: self.root.as_ref(), ends: None }
    }

    /// Returns all prefixes, in order.
    pub(super) fn iter(&self) -> Iter<'_, B> {
        let mut iter = Iter { leaf: None, stack: Vec::new() };
        iter.enter(self.root.as_ref());
        iter
    }

    /// Returns all prefixes after `prefix`, in order. If `prefix` itself is in the trie, it is the
    /// first.
    pub(super) fn iter_from(&self, prefix: Prefix<B>) -> Iter<'_, B> {
        let mut iter = Iter { leaf: None, stack: Vec::new() };
        let mut next = self.root.as_ref();
        while let Some(child) = next.take() {
            match child {
                Child::Node(node) if node.path.covers(prefix) => {
                    let branch = node.branch_of(prefix);
                    if let Some(end) = node.end_of(prefix) {
                        iter.stack.push((node, STEP_OF[end]));
                    } else {
                        iter.stack.push((node, STEP_OF[BRANCHES + branch] + 1));
                        next = node.child(branch);
                    }
                }
                child if child.prefix() >= prefix => iter.enter(Some(child)),
                _ => {}
            }
        }
        iter
    }

    /// Returns the prefixes inside `prefix`, in order. `prefix` itself is included.
    pub(super) fn covered_by(&self, prefix: Prefix<B>) -> impl Iterator<Item = (Prefix<B>, u32)> {
        let mut iter = Iter { leaf: None, stack: Vec::new() };
        let mut next = self.root.as_ref();
        while let Some(child) = next.take() {
            match child {
                Child::Node(node) if node.path.covers(prefix) => match node.end_of(prefix) {
                    Some(end) => iter.stack.push((node, STEP_OF[end])),
                    None => next = node.child(node.branch_of(prefix)),
                },
                child => iter.enter(Some(child)),
            }
        }
        iter.take_while(move |(inner, _)| prefix.covers(*inner))
    }
}

/// The iterator that [`Trie::covering`] returns.
pub(super) struct Covering<'a, B> {
    prefix: Prefix<B>,
    next: Option<&'a Child<B>>,
    /// A node, and the bits of those ends of this node that were not returned yet.
    ends: Option<(&'a Node<B>, u64)>,
}

impl<B: Bits> Iterator for Covering<'_, B> {
    type Item = (Prefix<B>, u32);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some((node, ends)) = &mut self.ends
                && *ends != 0
            {
                let end = ends.trailing_zeros() as usize;
                *ends &= *ends - 1;
                return Some((node.prefix_of_end(end), node.slot_of_end(end)));
            }
            match self.next.take()? {
                Child::Leaf(own, slot) => {
                    return own.covers(self.prefix).then_some((*own, *slot));
                }
                Child::Node(node) => {
                    node.path.covers(self.prefix).then_some(())?;
                    let branch = node.branch_of(self.prefix);
                    let mut ends = node.ends & ENDS_TO[branch];
                    match node.end_of(self.prefix) {
                        // This end is equal to the prefix. Longer ends do not cover the prefix.
                        Some(end) => ends &= u64::MAX >> (63 - end),
                        None => self.next = node.child(branch),
                    }
                    self.ends = Some((node, ends));
                }
            }
        }
    }
}

/// An iterator over the prefixes and their slots, in order.
pub(super) struct Iter<'a, B> {
    leaf: Option<(Prefix<B>, u32)>,
    /// The path to the next prefix. Each item is a node, and the next position in [`ORDER`] for
    /// this node.
    stack: Vec<(&'a Node<B>, u8)>,
}

impl<'a, B: Bits> Iter<'a, B> {
    fn enter(&mut self, child: Option<&'a Child<B>>) {
        match child {
            Some(Child::Leaf(prefix, slot)) => self.leaf = Some((*prefix, *slot)),
            Some(Child::Node(node)) => self.stack.push((node, 0)),
            None => {}
        }
    }
}

impl<B: Bits> Iterator for Iter<'_, B> {
    type Item = (Prefix<B>, u32);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(leaf) = self.leaf.take() {
                return Some(leaf);
            }
            let (node, step) = self.stack.last_mut()?;
            let node: &Node<B> = node;
            let Some(&item) = ORDER.get(usize::from(*step)) else {
                self.stack.pop();
                continue;
            };
            *step += 1;
            match usize::from(item) {
                end if end < BRANCHES => {
                    if has(node.ends, end) {
                        return Some((node.prefix_of_end(end), node.slot_of_end(end)));
                    }
                }
                branch => self.enter(node.child(branch - BRANCHES)),
            }
        }
    }
}
