//! Clusters of aligned neighbours, each grown from a site at random and flipped as a whole (Wolff, Phys. Rev. Lett. 62,
//! 1989). Near the critical temperature the lattice forgets its past within a few sweeps of them.

use super::bits::{Bits, digits};
use super::run::Run;
use crate::error::Result;
use crate::task::Task;

/// Lattices of one block of work.
pub(super) const TOGETHER: usize = 64;
/// Sites between two looks at the cancel flag.
const PATIENCE: usize = 1 << 16;

/// The four neighbours of each site on the torus.
pub(super) fn neighbours(size: usize) -> Vec<[u32; 4]> {
    let around = |i: usize| [(i + size - 1) % size, (i + 1) % size];
    let of_site = |site: usize| {
        let (row, column) = (site / size, site % size);
        let ([above, below], [left, right]) = (around(row), around(column));
        [(above, column), (below, column), (row, left), (row, right)].map(|(i, j)| (size * i + j) as u32)
    };
    (0..size * size).map(of_site).collect()
}

/// A lattice and what its clusters need.
struct Lattice<'a> {
    /// 1 for up.
    spins: Vec<u8>,
    neighbours: &'a [[u32; 4]],
    /// The digits of 1 − e^{−2β}.
    bond: u64,
    bits: Bits,
    /// Sites of the cluster whose neighbours have not been asked, and one place for what may join next.
    edge: Vec<u32>,
    task: &'a Task,
}

impl Lattice<'_> {
    /// Flips one cluster and returns its size.
    fn flip(&mut self) -> Result<usize> {
        let site = ((u128::from(self.bits.next()) * self.spins.len() as u128) >> 64) as usize;
        let old = self.spins[site];
        self.spins[site] ^= 1;
        self.edge[0] = site as u32;
        let (mut waiting, mut flipped) = (1, 0);
        while waiting > 0 {
            waiting -= 1;
            let site = self.edge[waiting];
            flipped += 1;
            if flipped % PATIENCE == 0 {
                self.task.check()?;
            }
            for &next in &self.neighbours[site as usize] {
                // Without branches, of which a processor would foresee no more than chance.
                let spin = &mut self.spins[next as usize];
                let joins = u8::from(*spin == old) & u8::from(self.bits.next() < self.bond);
                *spin ^= joins;
                self.edge[waiting] = next;
                waiting += usize::from(joins);
            }
        }
        Ok(flipped)
    }

    /// Flips clusters for so many sweeps, of as many flipped spins as there are sites.
    ///
    /// A chain that ends with the cluster that makes the number full ends after a large one more often than it should.
    /// So only the first half is counted in spins; the second has as many clusters as the first had.
    fn run(&mut self, sweeps: usize) -> Result<()> {
        let wanted = self.spins.len() as f64 * sweeps as f64 / 2.0;
        let (mut flipped, mut clusters) = (0.0, 0_u64);
        while flipped < wanted {
            flipped += self.flip()? as f64;
            clusters += 1;
            self.task.check()?;
        }
        for _ in 0..clusters {
            self.flip()?;
            self.task.check()?;
        }
        Ok(())
    }
}

/// Up to 64 chains, `count` of them: bit r of word i of the result is spin i, row-major, of lattice r.
pub(super) fn chains(run: &Run, neighbours: &[[u32; 4]], block: usize, count: usize) -> Result<Vec<u64>> {
    let bond = digits(-(-2.0 / run.temperature).exp_m1());
    let mut packed = vec![0; neighbours.len()];
    for chain in 0..count {
        let mut bits = Bits::new(&run.stream, (TOGETHER * block + chain) as u32);
        let first = (bits.next() >> 63) as u8;
        let spin = |_| if run.is_ordered() { first } else { (bits.next() >> 63) as u8 };
        let spins = neighbours.iter().map(spin).collect();
        let edge = vec![0; neighbours.len() + 1];
        let mut lattice = Lattice { spins, neighbours, bond, bits, edge, task: run.task };
        lattice.run(run.sweeps)?;
        packed.iter_mut().zip(&lattice.spins).for_each(|(word, &spin)| *word |= u64::from(spin) << chain);
        run.meter.count(1)?;
    }
    Ok(packed)
}
