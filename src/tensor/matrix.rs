//! Equations, inverses and eigenvalues of square matrices, in double precision.

use nalgebra::DMatrix;

use super::Tensor;
use crate::error::{Error, Result};
use crate::gauss::{Eigenvalue, spectrum};
use crate::host::Host;

/// Part of an eigenvalue to which it must be known.
const ACCURACY: f64 = 1e-6;

/// Part of an entry, or of those of the diagonal beside it, by which a symmetric matrix may differ from its transpose:
/// sums in single precision do.
const ASYMMETRY: f64 = 8.0 * f32::EPSILON as f64;

/// The x with a x = b, for `a` of shape [n, n] and `b` of \[n\] or [n, k]; of the shape of `b`.
///
/// # Errors
/// When `a` is not a square matrix of finite numbers, is singular, or `b` has another number of rows.
pub fn solve(a: (&[usize], &[f64]), b: (&[usize], &[f64]), host: &Host) -> Result<Tensor> {
    let matrix = square("a", a, MOST, host)?;
    let rows = matrix.nrows();
    let columns = match *b.0 {
        [own] if own == rows => 1,
        [own, columns] if own == rows => columns,
        _ => {
            let problem = format!("has the shape {:?}, but `a` is of shape {:?}", b.0, a.0);
            return Err(Error::argument("b", problem).with_hint(format!("give [{rows}] or [{rows}, k] numbers")));
        }
    };
    finite("b", b.1)?;
    inverted(&matrix)?;
    let right = DMatrix::from_row_slice(rows, columns, b.1);
    let solution = matrix.lu().solve(&right).ok_or_else(|| singular("it has no inverse"))?;
    Tensor::from_f64(b.0, solution.transpose().as_slice())
}

/// The inverse of `a`, [n, n].
///
/// # Errors
/// When `a` is not a square matrix of finite numbers, or is singular.
pub fn inverse(a: (&[usize], &[f64]), host: &Host) -> Result<Tensor> {
    let inverse = inverted(&square("a", a, MOST, host)?)?;
    Tensor::from_f64(a.0, inverse.transpose().as_slice())
}

/// The eigenvalues of `a`: of a symmetric matrix in ascending order, \[n\]; of others, which may be complex, real and
/// imaginary parts, [n, 2], in ascending order of these.
///
/// # Errors
/// When `a` is not a square matrix of finite numbers, or the eigenvalues are not found, or not to a millionth.
pub fn eigenvalues(a: (&[usize], &[f64]), host: &Host) -> Result<Tensor> {
    let matrix = square("a", a, MOST_FOR_EIGENVALUES, host)?;
    let size = matrix.nrows();
    let is_symmetric = is_symmetric(&matrix);
    let matrix = if is_symmetric { (&matrix + matrix.transpose()) * 0.5 } else { matrix };
    let unfound = || Error::numerical(format!("the eigenvalues of a matrix of shape {:?} were not found", a.0));
    let mut pairs = spectrum(&matrix).ok_or_else(unfound)?.iter().map(known).collect::<Result<Vec<_>>>()?;
    pairs.sort_by(|a, b| a[0].total_cmp(&b[0]).then(a[1].total_cmp(&b[1])));
    match is_symmetric {
        true => Tensor::from_f64(&[size], &pairs.iter().map(|[re, _]| *re).collect::<Vec<_>>()),
        false => Tensor::from_f64(&[size, 2], pairs.as_flattened()),
    }
}

/// Whether each entry is its mirror image but for sums in single precision, which change no eigenvalue by more.
fn is_symmetric(matrix: &DMatrix<f64>) -> bool {
    let alike = |i: usize, j: usize| {
        let (a, b) = (matrix[(i, j)], matrix[(j, i)]);
        let beside = matrix[(i, i)].abs().sqrt() * matrix[(j, j)].abs().sqrt();
        (a - b).abs() <= ASYMMETRY * beside.max(a.abs().max(b.abs()))
    };
    (0..matrix.nrows()).all(|i| (0..i).all(|j| alike(i, j)))
}

/// The real and imaginary part, if they are known well enough.
fn known(one: &Eigenvalue) -> Result<[f64; 2]> {
    let (value, error) = (one.value, one.error);
    match error <= ACCURACY * value.norm() {
        true => Ok([value.re, value.im]),
        false if one.is_zero() => Ok([0.0, 0.0]),
        false => {
            let found = format!("{:.3e} {} {:.3e} i", value.re, if value.im < 0.0 { '-' } else { '+' }, value.im.abs());
            let problem = format!("an eigenvalue is {found} only to within {error:.0e}");
            Err(Error::argument("a", problem).with_hint("entries too far apart, or eigenvalues too near to each other"))
        }
    }
}

/// Rows of a matrix that is factored, which takes a second or two, and nobody can stop it.
const MOST: usize = 1024;
/// Rows of a matrix whose eigenvalues are found, which takes seconds.
const MOST_FOR_EIGENVALUES: usize = 512;

fn square(name: &str, (shape, values): (&[usize], &[f64]), most: usize, host: &Host) -> Result<DMatrix<f64>> {
    let [rows, columns] = *shape else {
        return Err(Error::argument(name, format!("must be a matrix, got shape {shape:?}")));
    };
    if rows != columns || rows == 0 {
        return Err(Error::argument(name, format!("must be square, got shape {shape:?}")));
    }
    if rows > most {
        let problem = format!("has {rows} rows, more than the {most} that can be taken here");
        return Err(Error::argument(name, problem).with_hint("NumPy or LAPACK are for larger ones"));
    }
    finite(name, values)?;
    // The matrix, its factors, the inverse, and the sizes of both.
    host.afford(6.0 * 8.0 * values.len() as f64, |problem| {
        Error::argument(name, format!("of shape {shape:?} {problem}"))
    })?;
    Ok(DMatrix::from_row_slice(rows, columns, values))
}

fn finite(name: &str, values: &[f64]) -> Result<()> {
    match values.iter().find(|value| !value.is_finite()) {
        None => Ok(()),
        Some(value) => Err(Error::argument(name, format!("must hold finite numbers, got {value}"))),
    }
}

/// The inverse, refused where rounding alone could have made it.
fn inverted(matrix: &DMatrix<f64>) -> Result<DMatrix<f64>> {
    let inverse = matrix.clone().try_inverse().ok_or_else(|| singular("it has no inverse"))?;
    // Skeel's condition number, which rows of different size do not raise.
    let sizes = inverse.abs() * matrix.abs();
    let condition = sizes.row_iter().map(|row| row.sum()).fold(0.0, f64::max);
    match condition * f64::EPSILON < 1.0 {
        true => Ok(inverse),
        false => Err(singular(&format!("its condition number is {condition:.0e}, beyond double precision"))),
    }
}

fn singular(reason: &str) -> Error {
    Error::argument("a", format!("is singular: {reason}")).with_hint("rows or columns depend on each other")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host() -> Host {
        Host::default()
    }

    #[test]
    fn equations_are_solved() {
        let a: (&[usize], &[f64]) = (&[2, 2], &[0.0, 2.0, 4.0, 1.0]);
        assert_eq!(solve(a, (&[2], &[2.0, 5.0]), &host()).unwrap().values()[..], [1.0, 1.0]);
        let two = solve(a, (&[2, 2], &[2.0, 4.0, 5.0, 2.0]), &host()).unwrap();
        assert_eq!(two.values()[..], [1.0, 0.0, 1.0, 2.0]);
        assert_eq!(inverse(a, &host()).unwrap().values()[..], [-0.125, 0.25, 0.5, 0.0]);
        let problem = solve(a, (&[3], &[1.0; 3]), &host()).unwrap_err().to_string();
        assert_eq!(problem, "`b` has the shape [3], but `a` is of shape [2, 2]");
    }

    #[test]
    fn what_has_no_solution_is_refused() {
        let problem = |shape: &[usize], values: &[f64]| inverse((shape, values), &host()).unwrap_err().to_string();
        assert!(problem(&[2, 2], &[1.0, 2.0, 2.0, 4.0]).starts_with("`a` is singular"));
        assert!(problem(&[2, 2], &[0.1, 0.3, 0.3, 0.9]).starts_with("`a` is singular"));
        assert_eq!(problem(&[1, 2], &[1.0, 2.0]), "`a` must be square, got shape [1, 2]");
        assert_eq!(problem(&[2], &[1.0, 2.0]), "`a` must be a matrix, got shape [2]");
        assert_eq!(problem(&[1, 1], &[f64::NAN]), "`a` must hold finite numbers, got NaN");
        // Small and large entries are no reason.
        assert_eq!(inverse((&[2, 2], &[1e-12, 0.0, 0.0, 1.0]), &host()).unwrap().values()[0], 1e12);
    }

    #[test]
    fn eigenvalues_are_real_or_pairs() {
        let symmetric = eigenvalues((&[2, 2], &[2.0, 1.0, 1.0, 2.0]), &host()).unwrap();
        assert!(symmetric.is_close(&Tensor::new(&[2], vec![1.0, 3.0]).unwrap(), 1e-6, 0.0).unwrap());
        let turn = eigenvalues((&[2, 2], &[1.0, -2.0, 2.0, 1.0]), &host()).unwrap();
        let truth = Tensor::new(&[2, 2], vec![1.0, -2.0, 1.0, 2.0]).unwrap();
        assert!(turn.is_close(&truth, 1e-6, 0.0).unwrap(), "{turn}");
        let defective = eigenvalues((&[2, 2], &[1.0, 1.0, 0.0, 1.0]), &host()).unwrap();
        assert!(defective.is_close(&Tensor::new(&[2, 2], vec![1.0, 0.0, 1.0, 0.0]).unwrap(), 1e-6, 1e-6).unwrap());
    }
}
