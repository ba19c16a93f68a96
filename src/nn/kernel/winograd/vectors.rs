//! Vectors of neighbouring channels, and small matrices of them.

#[inline(always)]
pub(super) fn combine<const LANES: usize>(
    a: [f32; LANES],
    b: [f32; LANES],
    function: impl Fn(f32, f32) -> f32,
) -> [f32; LANES] {
    let mut out = [0.0; LANES];
    for i in 0..LANES {
        out[i] = function(a[i], b[i]);
    }
    out
}

#[inline(always)]
pub(super) fn plus<const LANES: usize>(a: [f32; LANES], b: [f32; LANES]) -> [f32; LANES] {
    combine(a, b, |a, b| a + b)
}

#[inline(always)]
pub(super) fn minus<const LANES: usize>(a: [f32; LANES], b: [f32; LANES]) -> [f32; LANES] {
    combine(a, b, |a, b| a - b)
}

/// F v Fᵀ of the N × N vectors that `read` gives by row and column, F being what `along` does to N of them.
#[inline(always)]
pub(super) fn both_sides<const LANES: usize, const N: usize, const M: usize>(
    read: impl Fn(usize, usize) -> [f32; LANES],
    along: impl Fn([[f32; LANES]; N]) -> [[f32; LANES]; M],
) -> [[[f32; LANES]; M]; M] {
    let mut rows = [[[0.0; LANES]; N]; M];
    for j in 0..N {
        let mut column = [[0.0; LANES]; N];
        for i in 0..N {
            column[i] = read(i, j);
        }
        let column = along(column);
        for i in 0..M {
            rows[i][j] = column[i];
        }
    }
    let mut out = [[[0.0; LANES]; M]; M];
    for i in 0..M {
        out[i] = along(rows[i]);
    }
    out
}

/// `LANES` numbers from `place` on.
#[inline(always)]
pub(super) fn load<const LANES: usize>(values: &[f32], place: usize) -> [f32; LANES] {
    let mut vector = [0.0; LANES];
    vector.copy_from_slice(&values[place..][..LANES]);
    vector
}

/// Calls a function with the beginnings of vectors of `$lanes` numbers that cover `$width`, and with the constant 1 for
/// the numbers that are left.
macro_rules! in_vectors {
    ($lanes:ident, $width:expr, |$channel:ident| $function:ident($($argument:expr),*)) => {
        let whole = $width / $lanes * $lanes;
        for $channel in (0..whole).step_by($lanes) {
            $function::<$lanes>($($argument),*);
        }
        for $channel in whole..$width {
            $function::<1>($($argument),*);
        }
    };
}
pub(super) use in_vectors;
