//! Bytes as choices. Behind their end every choice is the first, so that whatever is made of them comes to an end.

/// Bytes that are still to be used.
pub struct Choices<'a> {
    bytes: &'a [u8],
}

impl<'a> Choices<'a> {
    /// All of `bytes`.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    /// The next byte.
    pub fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.bytes.split_first() else { return 0 };
        self.bytes = rest;
        *first
    }

    /// A number below `count`, which is above 0.
    pub fn below(&mut self, count: usize) -> usize {
        if count <= 256 {
            return usize::from(self.byte()) % count;
        }
        let [low, high] = [self.byte(), self.byte()].map(usize::from);
        (low + 256 * high) % count
    }

    /// One of `items`, of which there are some.
    pub fn one<'b, T>(&mut self, items: &'b [T]) -> &'b T {
        &items[self.below(items.len())]
    }

    /// One of `words`, of which there are some.
    pub fn word<'b>(&mut self, words: &[&'b str]) -> &'b str {
        words[self.below(words.len())]
    }

    /// Whether something happens that does so once in `count` times; not behind the end.
    pub fn once_in(&mut self, count: usize) -> bool {
        self.below(count) == count - 1
    }

    /// Whether all bytes are used.
    pub fn is_over(&self) -> bool {
        self.bytes.is_empty()
    }

    /// What is not used yet.
    pub fn rest(&self) -> &'a [u8] {
        self.bytes
    }
}
