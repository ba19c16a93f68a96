//! Room for a row of intermediate values.

/// As many samples as fit a cache line.
const LINE: usize = 16;

/// A row that begins with a cache line: vector code that crosses lines at every load takes half as long again.
#[derive(Debug, Default)]
pub(super) struct Register {
    room: Box<[f32]>,
    first: usize,
}

impl Register {
    pub(super) fn new(length: usize) -> Self {
        let room = vec![0.0; length + LINE].into_boxed_slice();
        // The offset is `usize::MAX` where it cannot be told.
        let first = room.as_ptr().align_offset(LINE * size_of::<f32>()).min(LINE);
        Self { room, first }
    }

    /// The first `count` samples.
    #[inline(always)]
    pub(super) fn samples(&self, count: usize) -> &[f32] {
        &self.room[self.first..][..count]
    }

    /// The first `count` samples.
    #[inline(always)]
    pub(super) fn samples_mut(&mut self, count: usize) -> &mut [f32] {
        &mut self.room[self.first..][..count]
    }
}
