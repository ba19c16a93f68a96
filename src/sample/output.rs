//! Where the results of blocks of samples go.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use super::State;
use crate::error::{Error, Result};
use crate::host::Host;
use crate::process::Process;
use crate::score::Chart;
use crate::task::Task;
use crate::tensor::{self, Tensor};
use crate::vector::wrapped;

/// How many samples of what shape, and at which times they are kept.
#[derive(Debug, Clone)]
pub(super) struct Request<'a> {
    pub(super) process: &'a Process,
    /// The block of the first sample, for what is a part of more: its random numbers are those of that block.
    pub(super) first_block: usize,
    pub(super) count: usize,
    /// Shape of one datum.
    pub(super) shape: &'a [usize],
    /// Times at which states are kept, besides the last.
    pub(super) kept: Vec<f64>,
}

impl Request<'_> {
    /// Number of coordinates of one datum.
    pub(super) fn dimension(&self) -> usize {
        self.shape.iter().product()
    }

    /// The number of blocks of `width` samples; refuses what the 32-bit keys of the random streams cannot number.
    pub(super) fn blocks(&self, width: usize) -> Result<usize> {
        let blocks = self.count.div_ceil(width);
        if self.count == 0 || u32::try_from(blocks + self.first_block).is_err() {
            return Err(Error::argument("count", format!("must be from 1 to 10¹², got {}", self.count)));
        }
        Ok(blocks)
    }

    /// Refuses what does not fit into memory, with `frames` kept times: states on their way, all tensors, and what each
    /// kept time takes besides, its place, its time and its slices. To be asked before the times are listed.
    pub(super) fn check_memory(&self, frames: usize, host: &Host) -> Result<()> {
        let blocks = self.process.blocks().len() as f64;
        let state = 4.0 * blocks * self.count as f64 * self.dimension() as f64;
        let bytes = (2.0 + frames as f64) * state + frames as f64 * (EACH_FRAME + 16.0 * blocks);
        host.afford(bytes, |problem| {
            let of = format!("of {frames} times and {} states {problem}", self.count);
            match frames {
                0 => Error::argument("count", format!("of {} {problem}", self.count)).with_hint("take fewer at a time"),
                _ => Error::argument("keep", of)
                    .with_hint("keep fewer times, e.g. keep: [0.5, 1], or take fewer samples"),
            }
        })
    }

    /// Memory for the states at the end and at all kept times, as row-major tensors.
    pub(super) fn storage(&self, host: &Host) -> Result<Storage> {
        let names = self.process.blocks().to_vec();
        let end = [&[self.count], self.shape].concat();
        let path = [&[self.kept.len()], &*end].concat();
        self.check_memory(self.kept.len(), host)?;
        let allocate =
            |shape: &[usize]| names.iter().map(|_| tensor::allocate(shape, host)).collect::<Result<Vec<_>>>();
        let paths = if self.kept.is_empty() { Vec::new() } else { allocate(&path)? };
        let is_periodic = self.process.is_periodic();
        Ok(Storage { last: allocate(&end)?, paths, end, path, names, is_periodic })
    }
}

/// Bytes for each kept time besides its states: two times, its place, and a lock around the slices of its states.
const EACH_FRAME: f64 = 96.0;

/// Memory for all results.
pub(super) struct Storage {
    names: Vec<String>,
    end: Vec<usize>,
    path: Vec<usize>,
    /// Whether the first block has angles.
    is_periodic: bool,
    last: Vec<Vec<f32>>,
    paths: Vec<Vec<f32>>,
}

impl Storage {
    /// The memory, open to many threads, for states that leave by `charts`, one for each kept time and one for the end;
    /// none where they leave as they are.
    pub(super) fn open<'a>(&'a mut self, charts: Vec<Chart<'a>>) -> Output<'a> {
        let size: usize = self.end.iter().product();
        let frames = self.path[0];
        let mut parts: Vec<Vec<&mut [f32]>> = (0..=frames).map(|_| Vec::new()).collect();
        for path in &mut self.paths {
            path.chunks_exact_mut(size).zip(&mut parts).for_each(|(frame, part)| part.push(frame));
        }
        self.last.iter_mut().for_each(|last| parts[frames].push(last));
        let (dimension, frames) = (size / self.end[0], parts.into_iter().map(Mutex::new).collect());
        Output { dimension, is_periodic: self.is_periodic, charts, frames }
    }

    /// Completes what this rank has, the samples of a range, with those of all others.
    ///
    /// # Errors
    /// As [`Task::gather`].
    pub(super) fn gather(&mut self, what: &str, own: Range<usize>, task: &Task) -> Result<()> {
        if task.ranks().is_alone() {
            return Ok(());
        }
        let (count, width) = (self.end[0], self.end[1..].iter().product::<usize>());
        let place = |samples: Range<usize>| width * samples.start.min(count)..width * samples.end.min(count);
        let given: Vec<Vec<f32>> = self.frames().map(|frame| frame[place(own.clone())].to_vec()).collect();
        for (range, parts) in task.gather(what, Ok((own, given)))? {
            for (frame, part) in self.frames().zip(parts) {
                frame[place(range.clone())].copy_from_slice(&part);
            }
        }
        Ok(())
    }

    /// What is kept of each block at each time.
    fn frames(&mut self) -> impl Iterator<Item = &mut [f32]> {
        let size = self.end.iter().product();
        self.last.iter_mut().chain(&mut self.paths).flat_map(move |frames| frames.chunks_exact_mut(size))
    }

    /// The states at `time`, with the paths at the times that were kept.
    pub(super) fn close(self, time: f64, times: Vec<f64>) -> Result<State> {
        let tensors = |shape: &[usize], parts: Vec<Vec<f32>>| {
            parts.into_iter().map(|values| Tensor::new(shape, values)).collect::<Result<Vec<_>>>()
        };
        let blocks = tensors(&self.end, self.last)?;
        let paths = tensors(&self.path, self.paths)?;
        Ok(State { names: self.names, blocks, time, units: None, run: None, times, paths, warnings: Vec::new() })
    }
}

/// Frames that threads write their samples into: one for each kept time, then the end.
pub(super) struct Output<'a> {
    dimension: usize,
    is_periodic: bool,
    charts: Vec<Chart<'a>>,
    frames: Vec<Mutex<Vec<&'a mut [f32]>>>,
}

impl Output<'_> {
    /// Writes states, component-major [m·d, samples], of the samples from `first` on into a frame.
    pub(super) fn write(&self, frame: usize, first: usize, samples: usize, state: &[f32]) {
        let mut left = Cow::Borrowed(state);
        if let Some(chart) = self.charts.get(frame).filter(|chart| chart.changes()) {
            chart.leave(samples, left.to_mut());
        }
        if self.is_periodic {
            let angles = &mut left.to_mut()[..self.dimension * samples];
            angles.iter_mut().for_each(|angle| *angle = wrapped(f64::from(*angle)));
        }
        let mut frame = self.frames[frame].lock().unwrap_or_else(PoisonError::into_inner);
        let size = self.dimension * samples;
        for (values, state) in frame.iter_mut().zip(left.chunks_exact(size)) {
            transpose(state, samples, &mut values[first * self.dimension..][..size]);
        }
    }

    /// The number of the last frame, the end.
    pub(super) fn end(&self) -> usize {
        self.frames.len() - 1
    }
}

/// Writes [rows, columns] as [columns, rows].
pub(super) fn transpose(values: &[f32], columns: usize, out: &mut [f32]) {
    let rows = values.len() / columns;
    for (r, row) in values.chunks_exact(columns).enumerate() {
        for (c, &value) in row.iter().enumerate() {
            out[c * rows + r] = value;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::fixtures::Active;

    /// 100 states of two coordinates in two blocks are 1600 bytes.
    #[test]
    fn memory_is_counted() {
        let process = Active::default().process();
        let request = Request { process: &process, first_block: 0, count: 100, shape: &[2], kept: Vec::new() };
        for (frames, bytes) in [(0, 2.0 * 1600.0), (50, 52.0 * 1600.0 + 50.0 * (EACH_FRAME + 32.0))] {
            let asked = |bytes: f64| request.check_memory(frames, &Host::default().with_memory_limit(bytes));
            asked(bytes + 0.5).unwrap();
            let argument = if frames == 0 { "`count` of" } else { "`keep` of 50 times" };
            let refused = asked(bytes - 0.5).unwrap_err().to_string();
            assert!(refused.starts_with(argument), "{refused}");
        }
    }
}
